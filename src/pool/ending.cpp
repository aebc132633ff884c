// SPDX-License-Identifier: MIT
#include "pool/ending.hpp"

#include <csignal>

#include "brood/log.hpp"
#include "base/text.hpp"

namespace brood {

void escalate(ChildRecord& child, const std::string& doing, const char* why, Time now) {
  child.ending_at = now;
  switch (child.ending) {
    case Ending::none:
      log_warning(text("child ", child.pid, doing, ": beyond ", std::string_view(why), "; it gets SIGABRT"));
      child.ending = Ending::aborted;
      ::kill(child.pid, SIGABRT);
      return;
    case Ending::aborted:
      log_warning(text("child ", child.pid, doing, ": ", std::string_view(why), "; it is killed"));
      child.ending = Ending::killed;
      ::kill(child.pid, SIGKILL);
      return;
    case Ending::killed:
      log_error(text("child ", child.pid, " can't be ended: SIGKILL had no effect for ", ending_patience,
                     ", it may hang in the kernel; it counts against max-clients and is not waited for"));
      child.ending = Ending::lost;
      return;
    case Ending::lost:
      return;
  }
}

void end_now(ChildRecord& child, Time now) {
  child.ending = Ending::killed;
  child.ending_at = now;
  ::kill(child.pid, SIGKILL);
}

}  // namespace brood
