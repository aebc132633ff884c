// SPDX-License-Identifier: MIT
// The orders that replace no children: for one child, for a service or for the whole server.
#include <array>

#include "base/control_protocol.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "child/child_signals.hpp"
#include "parent/order_answers.hpp"
#include "parent/orders.hpp"

namespace brood {
namespace {

PendingAnswer obey_scale(ServerOrders& server, const WireRecord& request, Time /*now*/) {
  Service& service = named_service(server, request);
  ScaledSettings changes;
  for (const auto& [name, written] : request.fields())
    if (name != "service") changes[name] = written;
  if (changes.empty()) throw Refusal(outcome::wrong_usage, "scale needs a setting=value");
  Answer answer;
  for (const auto& [name, from, to] : server.scale(service, changes))
    answer.push_back(WireRecord("setting").set("name", name).set("from", from).set("to", to));
  answer.push_back(done(0, ""));
  return at_once(std::move(answer));
}

PendingAnswer obey_retire(ServerOrders& server, const WireRecord& request, Time now) {
  const std::string& written = needed_field(request, "pid");
  const pid_t pid = parse_number<pid_t>(written).value_or(0);
  if (pid <= 0) throw Refusal(outcome::wrong_usage, text("'", escape(written), "' is no pid"));
  for (const auto& service : server.services()) {
    const auto slot = service->pool().find(pid);
    if (!slot) continue;
    const Time forked_at = service->pool().children()[*slot].forked_at;
    service->scoreboard().journal().note({.kind = DecisionKind::retire,
                                          .count = 1,
                                          .pid = service->pool().children()[*slot].pid,
                                          .slot = *slot});
    service->pool().retire_one(*slot, Reason::retire);
    return [&server, pid, forked_at, began = now, name = service->name()](Time at) -> std::optional<Answer> {
      const Service* const present = server.services().find(name);
      const auto found = present == nullptr ? std::nullopt : present->pool().find(pid);
      if (found && present->pool().children()[*found].forked_at == forked_at) return {};
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(at - began).count();
      return Answer{WireRecord("child").set("pid", pid).set("service", name).set("milliseconds", took),
                    done(0, "")};
    };
  }
  throw Refusal(outcome::wrong_usage, text("process ", pid, " is no child of this server"));
}

PendingAnswer obey_signal(ServerOrders& server, const WireRecord& request, Time /*now*/) {
  const Service& service = named_service(server, request);
  const std::string& word = needed_field(request, "signal");
  const int number = find_signal(word).value_or(0);
  if (number == 0) throw Refusal(outcome::wrong_usage, text("'", escape(word), "' is no signal"));
  const std::string name = name_of_signal(number);
  if (number == child_signals::retire || number == child_signals::look_again)
    throw Refusal(
        outcome::wrong_usage,
        text(name,
             " is reserved for the parent's orders to its children: use retire, pause, stop or reload"));
  const unsigned children = service.pool().signal_all(number);
  return at_once(
      {WireRecord("signal").set("service", service.name()).set("name", name).set("children", children),
       done(0, "")});
}

PendingAnswer obey_reopen(ServerOrders& server, const WireRecord& /*request*/, Time /*now*/) {
  server.reopen_logs();
  return at_once({done(0, "")});
}

PendingAnswer obey_check(ServerOrders& server, const WireRecord& /*request*/, Time /*now*/) {
  server.check();
  return at_once({done(0, "")});
}

PendingAnswer obey_upgrade(ServerOrders& server, const WireRecord& /*request*/, Time /*now*/) {
  server.upgrade();
  return answer_of_upgrade(server);
}

constexpr std::array server_order_table = {
    KnownOrder{.name = "scale", .obey = obey_scale},
    KnownOrder{.name = "retire", .obey = obey_retire},
    KnownOrder{.name = "signal", .obey = obey_signal},
    KnownOrder{.name = "reopen", .obey = obey_reopen},
    KnownOrder{.name = "check", .obey = obey_check, .needs = Needs::settings},
    KnownOrder{.name = "upgrade", .obey = obey_upgrade, .crosses_exec = true},
};

}  // namespace

const std::span<const KnownOrder> server_orders = server_order_table;

}  // namespace brood
