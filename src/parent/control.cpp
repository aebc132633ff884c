// SPDX-License-Identifier: MIT
#include "parent/control.hpp"

#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "parent/parent.hpp"

namespace brood {
namespace {

constexpr const char* while_stopping = "the server is stopping";

ControlSocket open_beside(const std::string& scoreboard_path) {
  if (scoreboard_path.empty()) return {};
  const auto path = control_path(scoreboard_path);
  try {
    return ControlSocket(path);
  } catch (const Error& error) {
    log_warning(text("control socket ", path, ": ", std::string_view(error.what()),
                     "; broodctl can look at this server, and order nothing"));
    return {};
  }
}

Answer refusal(const Error& error) {
  Answer answer;
  for (const auto line : split(error.what(), '\n')) answer.push_back(WireRecord("mistake").set("text", line));
  answer.push_back(done(static_cast<int>(error.code()), "refused: everything goes on as before"));
  return answer;
}

}  // namespace

void Control::open(const std::string& scoreboard_path) { socket_ = open_beside(scoreboard_path); }

void Control::obey(Time now) {
  for (const auto& request : std::exchange(requests_, {})) obey(request, now);
}

void Control::obey(const ControlSocket::Request& request, Time now) {
  log_info(text("control: ", request.from, " asks: ", escape(request.record.line())));
  try {
    const Verb& verb = find_verb(request.record.kind());
    if (parent_.stopping() && !verb.while_stopping) throw Refusal(refused::not_now, while_stopping);
    pending_.push_back(
        {request.client, verb.while_stopping, verb.crosses_exec, verb.order(parent_, request.record, now)});
  } catch (const Refusal& why) {
    socket_.answer(request.client, {done(why.code(), why.what())});
  } catch (const Error& error) {
    socket_.answer(request.client, refusal(error));
  }
}

std::vector<int> Control::waiting_for_upgrade() const {
  std::vector<int> descriptors;
  for (const auto& order : pending_)
    if (order.crosses_exec && socket_.is_there(order.client))
      descriptors.push_back(socket_.descriptor(order.client));
  return descriptors;
}

void Control::take_over(Takeover& takeover, const PendingAnswer& answer) {
  const HandedOver& from = *takeover.handed_over();
  if (from.control.descriptor >= 0)
    socket_ =
        ControlSocket(control_path(from.scoreboard), takeover.claim(from.control.descriptor), from.control);
  else
    open(from.scoreboard);
  for (const int asker : from.asker_descriptors)
    pending_.push_back({socket_.take_over(takeover.claim(asker)), false, true, answer});
}

Time Control::look(Time now) {
  std::erase_if(pending_, [&](const PendingOrder& order) {
    if (!socket_.is_there(order.client)) return true;  // what was ordered goes on
    std::optional<Answer> answer = order.answer(now);
    if (!answer && parent_.stopping() && !order.while_stopping)
      answer = {done(refused::not_now, while_stopping)};
    if (answer) socket_.answer(order.client, *answer);
    return answer.has_value();
  });
  return socket_.deadline();
}

}  // namespace brood
