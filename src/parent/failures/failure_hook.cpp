// SPDX-License-Identifier: MIT
#include "parent/failures/failure_hook.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/process.hpp"
#include "base/process/exec_words.hpp"
#include "base/signals.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

constexpr std::chrono::minutes interval{1};    // from one start to the next
constexpr std::chrono::minutes time_limit{1};  // of one
constexpr int not_run = 127;                   // the exit code of a shell

void set_variable(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

// Those that this process has are its settings, or are about another service.
void remove_variables_of_kit() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (const std::string_view variable = *entry; variable.starts_with("BROOD_"))
      names.emplace_back(variable.substr(0, variable.find('=')));
  for (const auto& name : names) ::unsetenv(name.c_str());
}

}  // namespace

void FailureHook::note(const Failure& failure) {
  if (words_.empty()) return;
  ++run_.failures;
  run_.last = failure;
}

Time FailureHook::look(Time now) {
  if (run_.pid == 0 && run_.failures > 0 && (run_.started == Time::min() || now >= run_.started + interval))
    run(now);
  if (run_.pid != 0 && !run_.killed && now >= run_.started + time_limit) {
    log_warning(text("service ", service_, ": on-failure takes more than ", time_limit, "; it is killed"));
    // With what it has started. The group is there as long as the command was not reaped, and of its user
    // unless it has another one by itself.
    if (::kill(-run_.pid, SIGKILL) != 0)
      log_error(text("service ", service_,
                     ": on-failure: ", std::string_view(SystemError("end the command", errno).what())));
    run_.killed = true;
  }
  if (run_.pid != 0) return run_.killed ? never : run_.started + time_limit;
  return run_.failures > 0 ? run_.started + interval : never;
}

void FailureHook::run(Time now) {
  run_.started = now;
  run_.killed = false;
  const pid_t parent = ::getpid();
  const pid_t pid = spawn([&]() -> int { become(parent); });
  if (pid < 0) {
    const SystemError error("fork", errno);
    log_error(text("service ", service_, ": on-failure: ", std::string_view(error.what())));
    return;
  }
  // Also here, so that the group exists when it is killed. It fails if the command was first.
  ::setpgid(pid, pid);
  run_.pid = pid;
  run_.failures = 0;
}

// In the new process. The parent has no threads: every function of the library may be used.
void FailureHook::become(pid_t parent) const {
  // Without its parent nobody would kill a command that takes too long.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // can't fail with a valid signal
  if (::getppid() != parent) ::_exit(not_run);
  ::setpgid(0, 0);  // can't fail: it leads no session
  remove_variables_of_kit();
  set_variable("BROOD_SERVICE", service_);
  set_variable("BROOD_SLOT", run_.last.slot ? text(*run_.last.slot) : "");
  set_variable("BROOD_CHILD_PID", text(run_.last.pid));
  set_variable("BROOD_FAILURES", text(run_.failures));
  if (run_.last.code == CLD_EXITED) {
    set_variable("BROOD_EXIT_CODE", text(run_.last.status));
  } else {
    const char* const name = ::sigabbrev_np(run_.last.status);
    set_variable("BROOD_SIGNAL", text(run_.last.status));
    set_variable("BROOD_SIGNAL_NAME", name == nullptr ? "" : text("SIG", std::string_view(name)));
  }
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (nothing) ::dup2(nothing.get(), STDIN_FILENO);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // the log is open until then
  default_signals();
  ::execv(words_.front().c_str(), ExecWords(words_).get());
  log_error(text("service ", service_,
                 ": on-failure: ", std::string_view(SystemError("run " + words_.front(), errno).what())));
  ::_exit(not_run);
}

bool FailureHook::reaped(pid_t pid, int code, int status) {
  if (run_.pid == 0 || pid != run_.pid) return false;
  run_.pid = 0;
  if (!run_.killed && (code != CLD_EXITED || status != 0))
    log_warning(text("service ", service_, ": on-failure ", how_it_ended(code, status)));
  return true;
}

}  // namespace brood
