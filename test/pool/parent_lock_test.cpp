// SPDX-License-Identifier: MIT
// The lock held by a stopped child: by its only thread, and by another one.
#include "pool/parent_lock.hpp"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "base/process.hpp"
#include "scoreboard/scoreboard_lock.hpp"

using namespace brood;

TEST_CASE("a child that is stopped while one of its threads holds the lock is killed") {
  bool other_thread = false;
  SUBCASE("the first thread") {}
  SUBCASE("another thread") { other_thread = true; }
  const std::array<ServiceShape, 1> shapes = {{{"only", 64}}};
  const Scoreboard scoreboard("", "test", shapes);
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto hold = [&] {
      const ScoreboardLock lock(scoreboard, Side::child, never);
      [[maybe_unused]] const auto written = ::write(ends[1], "x", 1);
      ::kill(::getpid(), SIGSTOP);
      ::pause();
    };
    if (other_thread)
      std::thread(hold).join();
    else
      hold();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ends[0], &byte, 1) == 1);
  const pid_t holder = scoreboard.lock_holder();
  CHECK((holder == child) != other_thread);
  CHECK(process_of(holder) == child);
  CHECK(ParentLock(scoreboard, [&](pid_t pid) { return pid == child; }).take());
  CHECK(scoreboard.gossip().recoveries.load() == 1);  // the lock was recovered from the dead child
  ::kill(child, SIGKILL);                             // if that failed
  CHECK(::waitpid(child, nullptr, 0) == child);
  for (const int end : ends) ::close(end);
}

TEST_CASE("who is no child of the server is not killed, whatever the lock says") {
  const std::array<ServiceShape, 1> shapes = {{{"only", 64}}};
  const Scoreboard scoreboard("", "test", shapes);
  bool taken = false;
  std::thread([&] {  // ends while it holds the lock: the word names this process, which must not be killed
    scoreboard.gossip().mutex.lock_word_until(never);
    taken = static_cast<bool>(ParentLock(scoreboard, [](pid_t /*pid*/) { return false; }).take());
  })
      .join();
  CHECK(taken);
}

TEST_CASE("a thread is told to be of its process") {
  CHECK(process_of(::getpid()) == ::getpid());
  pid_t process = 0;
  std::thread([&] { process = process_of(::gettid()); }).join();
  CHECK(process == ::getpid());
  CHECK(process_of(0) == 0);
}
