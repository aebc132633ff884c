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

void log_outcome(const std::string& asked, const Answer& answer) {
  const WireRecord& done = answer.back();
  constexpr std::size_t most_mistakes = 3;
  std::string what;
  std::size_t mistakes = 0;
  for (const WireRecord& record : answer)
    if (record.kind() == "mistake" && ++mistakes <= most_mistakes) what += "; " + escape(record["text"]);
  if (mistakes > most_mistakes) what += text("; and ", mistakes - most_mistakes, " more");
  if (done["code"] == "0")
    log_info(text("control: ", asked, ": done", what));
  else
    log_info(text("control: ", asked, ": code ", done["code"], ": ", escape(done["message"]), what));
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
  const std::string what = escape(request.record.line());
  log_info(text("control: ", request.from, " asks: ", what));
  const std::string asked = text(what, ", asked by ", request.from);
  try {
    pending_.push_back({request.client, handler_.handle(request.record, now), asked});
  } catch (...) {
    const Answer answer = answer_of_what_was_thrown();
    log_outcome(asked, answer);
    socket_.answer(request.client, answer);
  }
}

// A client that has closed its connection doesn't cancel its order, whose outcome is still logged. But not of
// any number of them: an order may never end.
Time Control::answer(Time now) {
  constexpr std::size_t most_left_alone = 64;
  std::size_t left_alone = 0;
  std::erase_if(pending_, [&](const PendingOrder& pending) {
    const bool waits = socket_.is_there(pending.client);
    if (!waits && ++left_alone > most_left_alone) return true;
    const std::optional<Answer> answer = pending.order.answer(now);
    if (!answer) return false;
    log_outcome(pending.asked, *answer);
    if (waits) socket_.answer(pending.client, *answer);
    return true;
  });
  return socket_.deadline();
}

std::vector<int> Control::clients_to_hand_over() const {
  std::vector<int> descriptors;
  for (const PendingOrder& pending : pending_)
    if (pending.order.crosses_exec && socket_.is_there(pending.client))
      descriptors.push_back(socket_.descriptor(pending.client));
  return descriptors;
}

void Control::take_over(Takeover& takeover, const PendingAnswer& answer) {
  const HandedOver& from = *takeover.handed_over();
  if (from.control.descriptor >= 0)
    socket_ =
        ControlSocket(control_path(from.scoreboard), takeover.claim(from.control.descriptor), from.control);
  for (const int client : from.asker_descriptors)
    pending_.push_back({.client = socket_.take_over(takeover.claim(client)),
                        .order = {.answer = answer, .crosses_exec = true},
                        .asked = "upgrade"});
}

}  // namespace brood
