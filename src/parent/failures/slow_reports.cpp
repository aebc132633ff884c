// SPDX-License-Identifier: MIT
#include "parent/failures/slow_reports.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "base/crash/process_stack.hpp"
#include "base/signals.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

constexpr std::chrono::seconds longest_reading{10};

void log_stack(pid_t child, const ThreadStack& stack, bool of_several) {
  const std::string thread = of_several ? text("thread ", stack.thread, ": ") : "";
  for (const auto& frame : stack.frames) log_warning(text("child ", child, ": ", thread, frame));
}

// To look at a child needs what the parent may do. To find the names of functions does not: it reads files
// that the child has named, as one of its user then.
int read_stack(const SlowReports::Place& place, const SlowConnection& slow) {
  end_process_after(longest_reading);
  bool lasts = true;
  const auto attached = [&] {
    lasts = place.lasts(slow);
    place.process.give_up_all();
    if (!lasts) throw Error("the connection has ended in the meantime");
  };
  try {
    const auto stacks = stacks_of_process(slow.pid, attached);
    for (const ThreadStack& stack : stacks) log_stack(slow.pid, stack, stacks.size() > 1);
  } catch (const Error& error) {
    log_warning(text("child ", slow.pid, ": no stack: ", std::string_view(error.what())));
  }
  return 0;
}

}  // namespace

void SlowReports::choose(const std::string& service, Time now) {
  if (const auto more = limiter_.due(now))
    log_warning(text("service ", service, ": and ", more->messages, " more slow connections in ", more->time,
                     "; their stacks are not logged"));
  for (SlowConnection& slow : std::exchange(noted_, {}))
    if (limiter_.allows(now)) waiting_.push_back(std::move(slow));
}

void SlowReports::begin(const Place& place, Time now) {
  const SlowConnection slow = std::move(waiting_.front());
  waiting_.pop_front();
  log_warning(text("child ", slow.pid, slow.serving, ": a slow connection, beyond slow-timeout"));
  deadline_ = now + longest_reading;
  child_ = slow.pid;
  pid_ = spawn([&] { return read_stack(place, slow); });
  if (pid_ > 0) return;
  pid_ = 0;
  could_not_read();
}

void SlowReports::could_not_read() const {
  log_warning(text("child ", child_, ": no stack: the process that reads it has failed"));
}

bool SlowReports::reaped(pid_t pid, int code, int status) {
  if (pid_ == 0 || pid != pid_) return false;
  pid_ = 0;
  if (code != CLD_EXITED || status != 0) could_not_read();
  return true;
}

Time SlowReports::look(const std::string& service, const Place& place, Time now) {
  choose(service, now);
  if (pid_ != 0 && now >= deadline_) {
    ::kill(pid_, SIGKILL);
    pid_ = 0;  // nobody waits for its end
    could_not_read();
  }
  if (pid_ == 0 && !waiting_.empty()) begin(place, now);
  return std::min(pid_ == 0 ? never : deadline_, limiter_.due_at());
}

}  // namespace brood
