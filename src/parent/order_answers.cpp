// SPDX-License-Identifier: MIT
#include "parent/order_answers.hpp"

#include <algorithm>

#include "base/control_protocol.hpp"
#include "base/text.hpp"

namespace brood {

OrderProgress::OrderProgress(const Service& service, Time now)
    : name_(service.name()),
      began_(now),
      accepted_(service.pool().census({}, Clock::now()).accepted),
      lost_(service.connections_lost()) {
  const ChildTable& children = service.pool().children();
  for (const std::uint32_t slot : children.used())
    children_.push_back({children[slot].pid, children[slot].forked_at});
}

unsigned OrderProgress::remaining(const Service& service) const {
  const ChildTable& children = service.pool().children();
  return static_cast<unsigned>(std::ranges::count_if(children_, [&](const Known& known) {
    const auto slot = children.find(known.pid);
    return slot && children[*slot].forked_at == known.forked_at &&
           children[*slot].escalation != Escalation::lost;
  }));
}

WireRecord OrderProgress::record(const Service& service) const {
  WireRecord record("service");
  record.set("name", name_)
      .set("state", name_of(service.state()))
      .set("generation", service.generation())
      .set("children", service.pool().count())
      .set("before", children_.size())
      .set("gone", children_.size() - remaining(service))
      .set("milliseconds",
           std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count())
      .set("lost", service.connections_lost() - lost_);
  if (service.counts_connections())
    record.set("connections", service.pool().census({}, Clock::now()).accepted - accepted_);
  return record;
}

const std::string& needed_field(const WireRecord& request, std::string_view name) {
  const std::string* const given = request.find(name);
  if (given == nullptr || given->empty())
    throw Refusal(outcome::wrong_usage, text(request.kind(), " needs a ", name));
  return *given;
}

Service& named_service(const ServerOrders& server, const WireRecord& request) {
  const std::string& name = needed_field(request, "service");
  if (Service* const service = server.services().find(name)) return *service;
  std::vector<std::string> known;
  for (const auto& service : server.services()) known.push_back(service->name());
  throw Refusal(outcome::wrong_usage,
                text("unknown service '", escape(name), "'", did_you_mean(name, known)));
}

bool fails(const Service& service) { return service.throttled() || service.fatal_exit(); }

int code_of_failure(const Service& service) { return service.fatal_exit().value_or(outcome::failed); }

std::string message_of_failure(const Service& service) {
  return text("service ", service.name(), ": children of generation ", service.generation(),
              service.throttle().lacks_processes() ? " can't be forked" : " fail at once",
              "; the log says why",
              service.fatal_exit() ? "" : "; the server goes on trying, after longer and longer delays");
}

Answer answer_of(const OrderProgress& progress, const Service& service, int code,
                 const std::string& message) {
  return {progress.record(service), done(code, message)};
}

PendingAnswer answer_when(const ServerOrders& server, const Service& service, Time now, OutcomeOf find) {
  return [&server, progress = OrderProgress(service, now),
          find = std::move(find)](Time) -> std::optional<Answer> {
    const Service* const present = server.services().find(progress.service());
    if (present == nullptr)
      return Answer{done(outcome::unavailable, text("service ", progress.service(), " no longer exists"))};
    return find(progress, *present);
  };
}

namespace {

enum class Start : std::uint8_t { under_way, done, failed };

// Done: a child of the present generation serves, or there is nothing to wait for: none is wanted yet, or all
// max-clients are busy and one has to end before another is started.
Start start_of_new_children(const Service& service, Time now) {
  if (service.fatal_exit()) return Start::failed;
  if (service.state() != ServiceState::running || starts_on_demand(service.limits())) return Start::done;
  const Pool& pool = service.pool();
  unsigned busy_of_before = 0, starting = 0;
  for (const std::uint32_t slot : pool.children().used()) {
    const bool of_before = pool.rows().outdated(slot, service.generation());
    if (of_before && !pool.rows().is_idle(slot)) ++busy_of_before;
    if (of_before) continue;
    if (pool.rows().lifecycle(slot).phase == Phase::serving) return Start::done;
    ++starting;
  }
  if (busy_of_before >= service.limits().max_clients) return Start::done;
  // A delay that the former program has left lets one start at once.
  const bool waits = starting == 0 && service.throttle().may_start() > now;
  return service.throttled() && waits ? Start::failed : Start::under_way;
}

// Of an upgrade that was not refused. A service whose new children fail is not waited for.
std::optional<Answer> answer_of_new_program(const ServerOrders& server, const std::string& message,
                                            Time now) {
  const Service* failing = nullptr;
  for (const auto& service : server.services()) {
    const Start start = start_of_new_children(*service, now);
    if (start == Start::under_way) return {};
    if (start == Start::failed) failing = service.get();
  }
  const WireRecord upgraded = WireRecord("upgrade").set("message", message);
  if (failing == nullptr) return Answer{upgraded, done(0, "")};
  return Answer{upgraded, done(code_of_failure(*failing), message_of_failure(*failing))};
}

}  // namespace

PendingAnswer answer_of_upgrade(const ServerOrders& server) {
  return [&server](Time now) -> std::optional<Answer> {
    using State = ServerOrders::UpgradeOutcome::State;
    const auto [state, message] = server.last_upgrade();
    if (state == State::done) return answer_of_new_program(server, message, now);
    if (state != State::refused) return {};
    return Answer{done(outcome::failed, "upgrade refused: " + message + "; the running program goes on")};
  };
}

}  // namespace brood
