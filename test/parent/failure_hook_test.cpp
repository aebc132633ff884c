// SPDX-License-Identifier: MIT
// When the command runs: the time is given to it, the processes are real.
#include "parent/failures/failure_hook.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <optional>

using namespace brood;

namespace {

using namespace std::chrono_literals;

const Time start{1000h};

struct Ended {
  pid_t pid;
  int code, status;
};

// The next child of this process that ends.
Ended wait_for_end() {
  siginfo_t info{};
  REQUIRE(::waitid(P_ALL, 0, &info, WEXITED) == 0);
  return {info.si_pid, info.si_code, info.si_status};
}

bool none_runs() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

Failure failure(int status) { return {.slot = 3, .pid = 4711, .code = CLD_EXITED, .status = status}; }

// Exits with the number of failures that it was given.
const std::vector<std::string> tell{"/bin/sh", "-c", "exit $BROOD_FAILURES"};

}  // namespace

TEST_CASE("without a command nothing is run") {
  FailureHook command("some");
  command.note(failure(1));
  CHECK(command.look(start) == never);
  CHECK(none_runs());
}

TEST_CASE("without a failure nothing is run, and nothing is to be looked at") {
  FailureHook command("some");
  command.set(tell);
  CHECK(command.look(start) == never);
  CHECK(none_runs());
}

TEST_CASE("failures within a minute are reported by one run, when the minute is over") {
  FailureHook command("some");
  command.set(tell);
  command.note(failure(1));
  CHECK(command.look(start) == start + 1min);  // it may take so long
  const Ended first = wait_for_end();
  CHECK(first.status == 1);
  CHECK(command.reaped(first.pid, first.code, first.status));
  CHECK(command.look(start + 1s) == never);
  for (int i = 0; i < 5; ++i) command.note(failure(1));
  CHECK(command.look(start + 2s) == start + 1min);
  CHECK(none_runs());
  CHECK(command.look(start + 1min) == start + 2min);
  const Ended second = wait_for_end();
  CHECK(second.status == 5);
  CHECK(command.reaped(second.pid, second.code, second.status));
  CHECK(command.look(start + 61s) == never);
}

TEST_CASE("a command that takes a minute is killed with what it started, and never are there two") {
  FailureHook command("some");
  command.set({"/bin/sh", "-c", "sleep 600 & wait"});
  command.note(failure(1));
  CHECK(command.look(start) == start + 1min);
  command.note(failure(2));
  CHECK(command.look(start + 59s) == start + 1min);
  CHECK(command.look(start + 1min) == never);  // its end is an event
  const Ended killed = wait_for_end();
  CHECK(killed.code == CLD_KILLED);
  CHECK(killed.status == SIGKILL);
  CHECK(none_runs());
  CHECK(command.reaped(killed.pid, killed.code, killed.status));
  command.set(tell);
  CHECK(command.look(start + 61s) == start + 121s);
  const Ended next = wait_for_end();
  CHECK(next.status == 1);
  CHECK(command.reaped(next.pid, next.code, next.status));
}

TEST_CASE("other processes are none of its") {
  FailureHook command("some");
  CHECK_FALSE(command.reaped(0, CLD_EXITED, 0));
  CHECK_FALSE(command.reaped(4711, CLD_EXITED, 0));
}
