// SPDX-License-Identifier: MIT
#include "parent/control.hpp"

#include <sys/socket.h>

#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

void warn_of_missing_socket(const std::string& path, std::string_view why) {
  log_warning(
      text("control socket ", path, ": ", why,
           "; broodctl can show the status of this server, but give no orders; a reload tries again"));
}

Answer refusal(std::string_view mistakes, ExitCode code) {
  Answer answer;
  for (const auto line : split(mistakes, '\n')) answer.push_back(WireRecord("mistake").set("text", line));
  answer.push_back(done(static_cast<int>(code), "refused: nothing has changed"));
  return answer;
}

}  // namespace

Answer answer_of_what_was_thrown() {
  try {
    throw;
  } catch (const Refusal& why) {
    return {done(why.code(), why.what())};
  } catch (const Error& error) {
    return refusal(error.what(), error.code());
  } catch (...) {
    return refusal(what_was_thrown(), ExitCode::software);
  }
}

void Control::open(const std::string& scoreboard_path) {
  if (scoreboard_path.empty()) return;
  const auto path = control_path(scoreboard_path);
  try {
    socket_ = ControlSocket(path);
  } catch (const Error& error) {
    warn_of_missing_socket(path, error.what());
  }
}

void Control::look_at_path(const std::string& scoreboard_path) {
  const bool lost = socket_.lost();
  if (scoreboard_path.empty() || (socket_.is_open() && !lost)) return;
  const std::string path = control_path(scoreboard_path);
  try {
    remove_stale_socket(path, SOCK_STREAM);
    ControlSocket again(path);
    again.take_clients(socket_);
    socket_ = std::move(again);
    if (lost)
      log_warning(text("control socket ", path, " was removed or replaced; it was opened again"));
    else
      log_info(text("control socket ", path, ": open; before, it could not be opened"));
  } catch (const Error& error) {
    if (lost)
      log_error(text("control socket ", path, " was removed or replaced, and can't be opened again: ",
                     std::string_view(error.what())));
    else
      warn_of_missing_socket(path, error.what());
  }
}

void Control::handle_requests(Time now) {
  for (const auto& request : std::exchange(requests_, {})) handle(request, now);
}

void Control::handle(const ControlSocket::Request& request, Time now) {
  log_info(text("control: ", request.from, " asks: ", escape(request.record.line())));
  try {
    pending_.push_back({request.client, handler_.handle(request.record, now)});
  } catch (...) {
    socket_.answer(request.client, answer_of_what_was_thrown());
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
  for (const int client : from.asker_descriptors)
    pending_.push_back({socket_.take_over(takeover.claim(client)), {.answer = answer, .crosses_exec = true}});
}

}  // namespace brood
