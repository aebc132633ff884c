// SPDX-License-Identifier: MIT
#include "pool/escalation.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {

bool send_signal(pid_t child, int signal) {
  if (::kill(child, signal) == 0) return true;
  const SystemError error(text("child ", std::abs(child), " can't be sent signal ", signal), errno);
  log_error(error.what());
  return false;
}

bool send_to_all(const ChildRecord& child, int signal) {
  return send_signal(child.signals.group ? -child.pid : child.pid, signal);
}

void escalate(ChildRecord& child, const std::string& what, const char* why, Time now) {
  child.escalated_at = now;
  switch (child.escalation) {
    case Escalation::none:
      log_warning(text("child ", child.pid, what, ": beyond ", std::string_view(why), "; it gets SIGABRT"));
      child.escalation = Escalation::aborted;
      send_to_all(child, SIGABRT);
      return;
    case Escalation::aborted:
      log_warning(text("child ", child.pid, what, ": ", std::string_view(why), "; it is killed"));
      child.escalation = Escalation::killed;
      send_to_all(child, SIGKILL);
      return;
    case Escalation::killed:
      log_error(text("child ", child.pid, " can't be ended: SIGKILL had no effect for ", escalation_interval,
                     ", it may hang in the kernel; it counts against max-clients and is not waited for"));
      child.escalation = Escalation::lost;
      return;
    case Escalation::lost:
      return;
  }
}

void end_now(ChildRecord& child, Time now) {
  child.escalation = Escalation::killed;
  child.escalated_at = now;
  send_to_all(child, SIGKILL);
}

}  // namespace brood
