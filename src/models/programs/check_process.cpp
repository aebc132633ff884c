// SPDX-License-Identifier: MIT
#include "models/programs/check_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "base/process.hpp"
#include "base/process/exec_words.hpp"
#include "base/signals.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/privileges.hpp"
#include "models/programs/become_program.hpp"
#include "models/programs/child_handover.hpp"

namespace brood {
namespace {

constexpr std::size_t most_lines = 10, most_bytes = 16384;
constexpr int not_run = static_cast<int>(ExitCode::configuration);

void set_variable(const char* variable, const std::string& value) {
  ::setenv(variable, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): there is one thread only
}

void put_standard_in_place(int errors) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO})
    if (nothing) ::dup2(nothing.get(), standard);
  if (::dup2(errors, STDERR_FILENO) < 0) throw SystemError("change standard error", errno);
}

// In the new process: as a child of the service enters (child/child_main.hpp), but without a slot.
int become_check(const SettingsCheck& check, int errors, pid_t parent) {
  try {
    put_standard_in_place(errors);
    ::setpgid(0, 0);  // can't fail: it leads no session
    leave_environment(check.process);
    set_variables_of(check.identity);
    put_in_force(check.process);
    drop_privileges(check.identity, check.no_new_privileges);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which clears it
    if (::getppid() != parent) return not_run;
    set_variable("BROOD_SERVICE", check.service);
    if (check.as_child) set_variable(child_variable, checked_as_child);
    close_at_exec(STDERR_FILENO + 1);
    default_signals();
    ::execve(check.words.front().c_str(), ExecWords(check.words).get(), environ);
    throw SystemError("can't be run", errno);
  } catch (const Error& error) {
    ::dprintf(STDERR_FILENO, "%s: %s\n", check.words.front().c_str(), error.what());
  }
  return not_run;
}

}  // namespace

CheckProcess::CheckProcess(const SettingsCheck& check) : program_(check.words.front()) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw SystemError("pipe", errno);
  errors_.reset(ends[0]);
  const Descriptor errors_in(ends[1]);
  ::fcntl(errors_in.get(), F_SETFL, 0);  // the program expects a blocking one
  pid_ = spawn([&, parent = ::getpid()] { return become_check(check, errors_in.get(), parent); });
  if (pid_ < 0) throw SystemError("fork", errno);
  ::setpgid(pid_, pid_);  // also here, so that the group exists when it is killed
  ended_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (ended_) return;
  const int failure = errno;
  kill();
  throw SystemError("pidfd_open", failure);
}

void CheckProcess::read_errors() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::read(errors_.get(), buffer.data(), buffer.size());
    if (size > 0)
      written_.append(buffer.data(), std::min(static_cast<std::size_t>(size), most_bytes - written_.size()));
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return errors_.reset();
  }
}

bool CheckProcess::reap(std::string& how) {
  siginfo_t info{};
  ProcessUsage usage;
  while (wait_for(pid_, WEXITED | WNOHANG, info, usage) != 0 && errno == EINTR) {
  }
  if (info.si_pid == 0) return false;
  pid_ = 0;
  const bool good = info.si_code == CLD_EXITED && info.si_status == 0;
  how = good ? "" : text(program_, ' ', how_it_ended(info.si_code, info.si_status));
  return true;
}

std::string CheckProcess::outcome() {
  read_errors();           // others may still have the pipe: its end is not waited for
  ::kill(-pid_, SIGKILL);  // it was not reaped: the number is still its own
  std::string how;
  reap(how);
  if (how.empty()) return "";
  std::vector<std::string> lines;
  for (const auto line : split(written_, '\n'))
    if (!trim(line).empty() && lines.size() < most_lines) lines.push_back(escape(trim(line)));
  return lines.empty() ? how : join(lines);
}

void CheckProcess::kill(Time until) {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::min(until, Clock::now()));
  pollfd end{ended_.get(), POLLIN, 0};
  ::poll(&end, 1, static_cast<int>(left.count()));
  std::string how;
  reap(how);
}

}  // namespace brood
