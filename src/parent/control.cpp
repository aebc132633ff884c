// SPDX-License-Identifier: MIT
#include "parent/control.hpp"

#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

ControlSocket open_beside(const std::string& scoreboard_path) {
  if (scoreboard_path.empty()) return {};
  const auto path = control_path(scoreboard_path);
  try {
    return ControlSocket(path);
  } catch (const Error& error) {
    log_warning(text("control socket ", path, ": ", std::string_view(error.what()),
                     "; broodctl can show the status of this server, but give no orders"));
    return {};
  }
}

Answer refusal(const Error& error) {
  Answer answer;
  for (const auto line : split(error.what(), '\n')) answer.push_back(WireRecord("mistake").set("text", line));
  answer.push_back(done(static_cast<int>(error.code()), "refused: nothing has changed"));
  return answer;
}

}  // namespace

void Control::open(const std::string& scoreboard_path) { socket_ = open_beside(scoreboard_path); }

void Control::handle_requests(Time now) {
  for (const auto& request : std::exchange(requests_, {})) handle(request, now);
}

void Control::handle(const ControlSocket::Request& request, Time now) {
  log_info(text("control: ", request.from, " asks: ", escape(request.record.line())));
  try {
    pending_.push_back({request.client, handler_.handle(request.record, now)});
  } catch (const Refusal& why) {
    socket_.answer(request.client, {done(why.code(), why.what())});
  } catch (const Error& error) {
    socket_.answer(request.client, refusal(error));
  }
}

// A client that has closed its connection doesn't cancel its order.
Time Control::answer(Time now) {
  std::erase_if(pending_, [&](const PendingOrder& pending) {
    if (!socket_.is_there(pending.client)) return true;
    const std::optional<Answer> answer = pending.order.answer(now);
    if (answer) socket_.answer(pending.client, *answer);
    return answer.has_value();
  });
  return socket_.deadline();
}

std::vector<int> Control::clients_to_hand_over() const {
  std::vector<int> descriptors;
  for (const auto& [client, order] : pending_)
    if (order.crosses_exec && socket_.is_there(client)) descriptors.push_back(socket_.descriptor(client));
  return descriptors;
}

void Control::take_over(Takeover& takeover, const PendingAnswer& answer) {
  const HandedOver& from = *takeover.handed_over();
  if (from.control.descriptor >= 0)
    socket_ =
        ControlSocket(control_path(from.scoreboard), takeover.claim(from.control.descriptor), from.control);
  else
    open(from.scoreboard);
  for (const int client : from.asker_descriptors)
    pending_.push_back({socket_.take_over(takeover.claim(client)), {.answer = answer, .crosses_exec = true}});
}

}  // namespace brood
