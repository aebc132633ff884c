// SPDX-License-Identifier: MIT
#include "pool/detached.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/log.hpp"
#include "pool/escalation.hpp"

namespace brood {

void Detached::add(ChildRecord child, Time now) {
  child.leaving_since = now;
  log_info(text("child ", child.pid,
                " is detached: it has given back its slot, and ends when its open "
                "connections are finished"));
  children_.push_back(child);
}

bool Detached::has(pid_t pid) const {
  return std::ranges::any_of(children_, [pid](const ChildRecord& child) { return child.pid == pid; });
}

bool Detached::all_lost() const {
  return std::ranges::all_of(children_,
                             [](const ChildRecord& child) { return child.escalation == Escalation::lost; });
}

void Detached::before_reaped(pid_t pid) const {
  const auto found = std::ranges::find(children_, pid, &ChildRecord::pid);
  if (found != children_.end() && found->signals.group && found->escalation != Escalation::none)
    send_to_all(*found, SIGKILL);
}

bool Detached::reaped(pid_t pid, int code, int status) {
  const auto found = std::ranges::find(children_, pid, &ChildRecord::pid);
  const bool failed = code != CLD_EXITED || status != 0;
  children_.erase(found);
  const std::string line = text("detached child ", pid, " ", how_it_ended(code, status));
  if (failed)
    log_warning(line);
  else
    log_info(line);
  return failed;
}

Time Detached::end_overdue(std::chrono::milliseconds timeout, Time counted_from, Time now) {
  Time next = never;
  for (ChildRecord& child : children_) {
    if (child.escalation == Escalation::lost) continue;
    const bool first = child.escalation == Escalation::none;
    Time due = std::max(first ? child.leaving_since : child.escalated_at, counted_from) +
               (first ? timeout : escalation_interval);
    if (due <= now) {
      escalate(child, ", detached", "detach-timeout", now);
      due = child.escalation == Escalation::lost ? never : now + escalation_interval;
    }
    next = std::min(next, due);
  }
  return next;
}

void Detached::kill_all(const char* why) {
  const Time now = Clock::now();
  for (ChildRecord& child : children_) {
    if (child.escalation == Escalation::killed || child.escalation == Escalation::lost) continue;
    log_warning(text("child ", child.pid, ", detached: ", std::string_view(why), "; it is killed"));
    end_now(child, now);
  }
}

}  // namespace brood
