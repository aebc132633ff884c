// SPDX-License-Identifier: MIT
#include "ctl/balancer/agent.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "base/text.hpp"
#include "ctl/locate.hpp"
#include "ctl/status.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

using Kind = Readiness::Kind;

AgentAnswer down(std::string why) { return {.readiness = {.kind = Kind::down, .why = std::move(why)}}; }

// A busy service is no reason to send it nothing: it has the last of its capacity left.
unsigned free_share(const ServiceSnapshot& service) {
  std::uint64_t capacity = 1;  // of a child
  for (const auto& slot : service.slots) capacity = std::max<std::uint64_t>(capacity, slot.capacity);
  const std::uint64_t all = std::max<std::uint64_t>(service.max_clients * capacity, 1);
  const std::uint64_t taken = std::min<std::uint64_t>(service.open_connections, all);
  return static_cast<unsigned>(std::max<std::uint64_t>((all - taken) * 100 / all, 1));
}

AgentAnswer answer_of(const Snapshot& snapshot, const ServiceSnapshot& service) {
  return {.readiness = readiness_of(snapshot, service), .percent = free_share(service)};
}

AgentAnswer ask(const Invocation& invocation) {
  const std::string service = invocation.arguments.empty() ? "" : invocation.arguments.front();
  try {
    return answer_of_agent(
        read_scoreboard(locate(invocation.server, directory_of(invocation.runtime_directory))), service);
  } catch (const Failure& failure) {
    if (failure.exit_code() != outcome::critical) throw;
    return down(failure.what());  // there is no server
  }
}

}  // namespace

// The state and the readiness each time: the balancer changes only what it is told.
std::string AgentAnswer::line() const {
  switch (readiness.kind) {
    case Kind::ready:
      return text("up ready ", percent, "%\n");
    case Kind::drains:
      return "up drain\n";
    case Kind::down:
      break;
  }
  return text("down #", harmless(readiness.why), '\n');
}

AgentAnswer answer_of_agent(const Snapshot& snapshot, std::string_view service) {
  if (service.empty() && snapshot.services.size() == 1) return answer_of(snapshot, snapshot.services.front());
  const auto found = std::ranges::find(snapshot.services, service, &ServiceSnapshot::name);
  if (found != snapshot.services.end()) return answer_of(snapshot, *found);
  return down(service.empty() ? text("which of ", snapshot.services.size(), " services is not said")
                              : text("there is no service ", service));
}

int agent(const Invocation& invocation) {
  const AgentAnswer answer = ask(invocation);
  std::fputs(answer.line().c_str(), stdout);
  if (invocation.exit_code.empty()) return outcome::done;
  const bool ready = answer.readiness.is_ready();
  if (invocation.exit_code == "weight" && ready) return static_cast<int>(answer.percent) + 2;
  return ready ? outcome::done : 1;
}

}  // namespace brood::ctl
