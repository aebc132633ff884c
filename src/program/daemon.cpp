// SPDX-License-Identifier: MIT
#include "program/daemon.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "brood/error.hpp"
#include "program/surroundings.hpp"

namespace brood {
namespace {

pid_t fork_or_throw() {
  const pid_t pid = ::fork();
  if (pid < 0) throw SystemError("fork", errno);
  return pid;
}

// One byte: the server's exit code, or 0 if it is ready. Without a byte it has crashed.
[[noreturn]] void exit_as_reported(int report) {
  unsigned char exit_code = 0;
  ::_exit(::read(report, &exit_code, 1) == 1 ? exit_code : static_cast<int>(ExitCode::software));
}

}  // namespace

Daemon Daemon::detach() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SystemError("pipe", errno);
  Descriptor read_end(ends[0]);
  Daemon daemon;
  daemon.report_.reset(ends[1]);
  if (fork_or_throw() != 0) {
    daemon.report_.reset();
    exit_as_reported(read_end.get());
  }
  read_end.reset();
  ::setsid();  // fails only for the leader of a process group, which a process is not that was just forked
  // Once more: only a session leader can get a terminal.
  if (fork_or_throw() != 0) ::_exit(0);
  leave_callers_place();
  return daemon;
}

void Daemon::report(int exit_code) {
  if (!report_) return;
  const auto byte = static_cast<unsigned char>(exit_code);
  [[maybe_unused]] const auto written = ::write(report_.get(), &byte, 1);
  report_.reset();
}

void Daemon::close_terminal() {
  if (!report_) return;
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (!null || ::dup2(null.get(), standard) < 0) throw SystemError("close the terminal", errno);
}

}  // namespace brood
