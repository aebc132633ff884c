// SPDX-License-Identifier: MIT
// The orders that start, stop and replace the children of a service, and the stop of the whole server.
#include <array>

#include "base/control_protocol.hpp"
#include "base/text.hpp"
#include "parent/order_answers.hpp"
#include "parent/orders.hpp"

namespace brood {
namespace {

std::optional<Answer> answer_if_ready(const OrderProgress& progress, const Service& service) {
  switch (service.run_state()) {
    case RunState::running:
      if (service.has_started()) return answer_of(progress, service);
      [[fallthrough]];
    case RunState::failed:
      if (!fails(service)) return {};
      return answer_of(progress, service, code_of_failure(service), message_of_failure(service));
    case RunState::paused:
      return answer_of(progress, service, outcome::failed, "another order has paused it");
    case RunState::stopped:
      return answer_of(
          progress, service, outcome::failed,
          service.start_failure().empty() ? "another order has stopped it" : service.start_failure());
    case RunState::stopping:
    case RunState::restarting:
      return {};
  }
  return {};
}

std::optional<Answer> answer_if_stopped(const OrderProgress& progress, const Service& service) {
  switch (service.run_state()) {
    case RunState::stopped:
      return answer_of(progress, service);
    case RunState::stopping:
    case RunState::restarting:
      return {};
    default:
      return answer_of(progress, service, outcome::failed, "another order has started it again");
  }
}

std::optional<Answer> answer_if_paused(const OrderProgress& progress, const Service& service) {
  if (service.run_state() != RunState::paused)
    return answer_of(progress, service, outcome::failed, "another order has ended the pause");
  if (!progress.all_gone(service)) return {};
  return answer_of(progress, service);
}

PendingAnswer obey_for_service(ServerOrders& server, const WireRecord& request, Time now, ServiceOrder order,
                               std::optional<Answer> (*find)(const OrderProgress&, const Service&)) {
  Service& service = named_service(server, request);
  if (const auto advice = service.refuses(order); !advice.empty())
    throw Refusal(outcome::try_again,
                  text("service ", service.name(), " is ", name_of(service.state()), ": ", advice));
  PendingAnswer answer = answer_when(server, service, now, find);
  service.obey(order, now);
  return answer;
}

PendingAnswer obey_start(ServerOrders& server, const WireRecord& request, Time now) {
  return obey_for_service(server, request, now, ServiceOrder::start, answer_if_ready);
}

PendingAnswer obey_restart(ServerOrders& server, const WireRecord& request, Time now) {
  return obey_for_service(server, request, now, ServiceOrder::restart, answer_if_ready);
}

PendingAnswer obey_pause(ServerOrders& server, const WireRecord& request, Time now) {
  return obey_for_service(server, request, now, ServiceOrder::pause, answer_if_paused);
}

PendingAnswer obey_resume(ServerOrders& server, const WireRecord& request, Time now) {
  return obey_for_service(server, request, now, ServiceOrder::resume, answer_if_ready);
}

// A second order to stop changes nothing: the one that gives it may not know of the first. To stop at once,
// `now` is needed.
PendingAnswer stop_server(ServerOrders& server, const WireRecord& request) {
  if (request.find("now") != nullptr)
    server.stop_now();
  else if (!server.stopping())
    server.stop();
  return [&server](Time) -> std::optional<Answer> {
    if (!server.ended()) return {};
    return Answer{done(0, "")};
  };
}

PendingAnswer obey_stop(ServerOrders& server, const WireRecord& request, Time now) {
  if (request.find("service") == nullptr) return stop_server(server, request);
  return obey_for_service(server, request, now, ServiceOrder::stop, answer_if_stopped);
}

constexpr std::array service_order_table = {
    KnownOrder{.name = "reload", .obey = obey_reload, .needs = Needs::settings},
    KnownOrder{.name = "start", .obey = obey_start, .needs = Needs::settings_to_start},
    KnownOrder{.name = "stop", .obey = obey_stop, .while_stopping = true},
    KnownOrder{.name = "restart", .obey = obey_restart, .needs = Needs::settings_to_start},
    KnownOrder{.name = "pause", .obey = obey_pause},
    KnownOrder{.name = "resume", .obey = obey_resume},
};

}  // namespace

const std::span<const KnownOrder> service_orders = service_order_table;

}  // namespace brood
