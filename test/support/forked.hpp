// SPDX-License-Identifier: MIT
// Processes that a test forks. What they find they tell by their exit code.
#pragma once

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

// Runs `body` in a new process, which exits with 0 after it. SIGALRM ends it after five minutes.
inline pid_t forked(const std::function<void()>& body) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent) {
    ::alarm(300);
    body();
  }
  ::_exit(0);
}

inline int status_of(pid_t pid) {
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

inline bool was_killed(int status, int signal = SIGKILL) {
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

inline void kill_now(pid_t pid) {
  ::kill(pid, SIGKILL);
  status_of(pid);
}

// From one process to another, once.
class Told {
 public:
  Told() { REQUIRE(::pipe(ends_) == 0); }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  ~Told() {
    for (const int end : ends_) ::close(end);
  }
  void tell() const { [[maybe_unused]] const auto written = ::write(ends_[1], "x", 1); }
  void wait() const {
    char byte = 0;
    if (::read(ends_[0], &byte, 1) != 1) ::_exit(99);
  }

 private:
  int ends_[2] = {-1, -1};
};
