// SPDX-License-Identifier: MIT
#include "daemon.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "brood/error.hpp"

namespace brood {
namespace {

pid_t fork_or_throw() {
  const pid_t pid = ::fork();
  if (pid < 0) throw SystemError("fork", errno);
  return pid;
}

// The byte comes from the server when it is ready. Without one, the process in the middle tells how the
// server ended.
[[noreturn]] void wait_for_verdict(int report, pid_t middle) {
  char byte = 0;
  if (::read(report, &byte, 1) == 1) ::_exit(0);
  int status = 0;
  const bool ended = ::waitpid(middle, &status, 0) == middle && WIFEXITED(status);
  ::_exit(ended && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : static_cast<int>(ExitCode::software));
}

}  // namespace

Daemon Daemon::detach() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SystemError("pipe", errno);
  Descriptor read_end(ends[0]);
  Daemon daemon;
  daemon.report_.reset(ends[1]);
  if (const pid_t middle = fork_or_throw(); middle != 0) {
    daemon.report_.reset();
    wait_for_verdict(read_end.get(), middle);
  }
  read_end.reset();
  ::setsid();
  // Again: who is no session leader can't get a terminal any more. The middle one stays for a verdict, should
  // it come.
  if (const pid_t server = fork_or_throw(); server != 0) {
    daemon.report_.reset();
    int status = 0;
    const bool ended = ::waitpid(server, &status, 0) == server && WIFEXITED(status);
    ::_exit(ended ? WEXITSTATUS(status) : static_cast<int>(ExitCode::software));
  }
  return daemon;
}

void Daemon::ready() {
  if (!report_) return;
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (null) ::dup2(null.get(), standard);
  [[maybe_unused]] const auto written = ::write(report_.get(), "", 1);
  report_.reset();
}

}  // namespace brood
