// SPDX-License-Identifier: MIT
#include "failure_command.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "ending.hpp"
#include "exec_words.hpp"
#include "signals.hpp"
#include "spawner.hpp"
#include "text.hpp"

namespace brood {
namespace {

constexpr std::chrono::minutes interval{1};    // from one start to the next
constexpr std::chrono::minutes time_limit{1};  // of one
constexpr int not_run = 127;                   // as a shell has it

void set_variable(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

}  // namespace

void FailureCommand::note(const Failure& failure) {
  if (words_.empty()) return;
  ++failures_;
  last_ = failure;
}

Time FailureCommand::look(Time now) {
  if (pid_ == 0 && failures_ > 0 && (started_ == Time::min() || now >= started_ + interval)) run(now);
  if (pid_ != 0 && !killed_ && now >= started_ + time_limit) {
    log_warning(text("service ", service_, ": on-failure takes more than ", time_limit, "; it is killed"));
    ::kill(-pid_, SIGKILL);  // with what it has started
    killed_ = true;
  }
  if (pid_ != 0) return killed_ ? never : started_ + time_limit;
  return failures_ > 0 ? started_ + interval : never;
}

void FailureCommand::run(Time now) {
  started_ = now;
  killed_ = false;
  const pid_t parent = ::getpid();
  const pid_t pid = spawn([&]() -> int { become(parent); });
  if (pid < 0) {
    const SystemError error("fork", errno);
    log_error(text("service ", service_, ": on-failure: ", std::string_view(error.what())));
    return;
  }
  ::setpgid(pid, pid);  // here too: whoever of the two is first, the group is there when it is to be killed
  pid_ = pid;
  failures_ = 0;
}

// In the new process. The parent has no threads, so that all of the library may be used.
void FailureCommand::become(pid_t parent) const {
  // The parent kills what takes too long; without it nobody would.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(not_run);
  ::setpgid(0, 0);
  set_variable("BROOD_SERVICE", service_);
  set_variable("BROOD_SLOT", last_.slot ? text(*last_.slot) : "");
  set_variable("BROOD_CHILD_PID", text(last_.pid));
  set_variable("BROOD_FAILURES", text(failures_));
  for (const char* const name : {"BROOD_EXIT_CODE", "BROOD_SIGNAL", "BROOD_SIGNAL_NAME"}) ::unsetenv(name);
  if (last_.code == CLD_EXITED) {
    set_variable("BROOD_EXIT_CODE", text(last_.status));
  } else {
    const char* const name = ::sigabbrev_np(last_.status);
    set_variable("BROOD_SIGNAL", text(last_.status));
    set_variable("BROOD_SIGNAL_NAME", name == nullptr ? "" : text("SIG", std::string_view(name)));
  }
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (nothing) ::dup2(nothing.get(), STDIN_FILENO);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // the log stays until then
  default_signals();
  ::execv(words_.front().c_str(), ExecWords(words_).get());
  log_error(text("service ", service_,
                 ": on-failure: ", std::string_view(SystemError("run " + words_.front(), errno).what())));
  ::_exit(not_run);
}

bool FailureCommand::reaped(pid_t pid, int code, int status) {
  if (pid_ == 0 || pid != pid_) return false;
  pid_ = 0;
  if (!killed_ && (code != CLD_EXITED || status != 0))
    log_warning(text("service ", service_, ": on-failure ", how_it_ended(code, status)));
  return true;
}

}  // namespace brood
