// SPDX-License-Identifier: MIT
// A server as PID 1 of a container, without one: in a namespace of its own. Needs root.
#pragma once

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

namespace brood::test {

// The process that goes on is PID 1 of a namespace of its own; the one that was started waits for it and ends
// as it does.
inline void become_pid_1() {
  if (::unshare(CLONE_NEWPID) != 0) ::_exit(125);
  const pid_t first = ::fork();
  if (first == 0) {
    // The leak sanitizer looks for its process in /proc, which is not that of the namespace.
    const char* const options = std::getenv("ASAN_OPTIONS");
    const std::string more = (options != nullptr ? std::string(options) + ':' : "") + "detect_leaks=0";
    ::setenv("ASAN_OPTIONS", more.c_str(), 1);
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 0;
  ::waitpid(first, &status, 0);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 124);
}

}  // namespace brood::test
