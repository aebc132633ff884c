// SPDX-License-Identifier: MIT
#include "parent/orders.hpp"

#include <memory>

#include "base/control_protocol.hpp"
#include "base/text.hpp"
#include "parent/order_answers.hpp"

namespace brood {
namespace {

constexpr const char* server_stops = "the server is stopping";

const KnownOrder& find_order(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& table : {service_orders, server_orders})
    for (const KnownOrder& order : table) {
      if (order.name == name) return order;
      known.emplace_back(order.name);
    }
  throw Refusal(outcome::wrong_usage, text("unknown order '", escape(name), "'", did_you_mean(name, known)));
}

// An order that a stop of the server has overtaken is answered so.
PendingAnswer until_server_stops(const ServerOrders& server, PendingAnswer answer) {
  return [&server, answer = std::move(answer)](Time now) -> std::optional<Answer> {
    std::optional<Answer> known = answer(now);
    if (!known && server.stopping()) known = {done(outcome::try_again, server_stops)};
    return known;
  };
}

}  // namespace

PendingAnswer Orders::obey(const KnownOrder& order, const WireRecord& request, Time now) {
  if (order.needs == Needs::nothing) return order.obey(server_, request, now);
  const std::string* const service = request.find("service");
  const bool starts = order.needs == Needs::settings_to_start && service != nullptr;
  const auto answer = std::make_shared<PendingAnswer>();  // none: it is not obeyed yet
  server_.when_looked_up(starts ? *service : "", [=, this, &order](const std::string& failure) {
    try {
      if (!failure.empty())
        throw Refusal(outcome::try_again,
                      text(request.kind(), " refused: ", failure, "; nothing has changed"));
      *answer = order.obey(server_, request, now);
    } catch (...) {
      *answer = at_once(answer_of_what_was_thrown());
    }
  });
  return [answer](Time at) -> std::optional<Answer> {
    if (!*answer) return {};
    return (*answer)(at);
  };
}

RequestHandler::Handled Orders::handle(const WireRecord& request, Time now) {
  const KnownOrder& order = find_order(request.kind());
  if (server_.stopping() && !order.while_stopping) throw Refusal(outcome::try_again, server_stops);
  PendingAnswer answer = obey(order, request, now);
  if (!order.while_stopping) answer = until_server_stops(server_, std::move(answer));
  return {std::move(answer), order.crosses_exec};
}

PendingAnswer Orders::outcome_of_upgrade() const {
  return until_server_stops(server_, answer_of_upgrade(server_));
}

}  // namespace brood
