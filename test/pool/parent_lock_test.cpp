// SPDX-License-Identifier: MIT
// The parent and a lock that is not given back: it does not wait, acts later, and only on whoever is to
// blame.
#include "pool/parent_lock.hpp"

#include <doctest/doctest.h>
#include <linux/futex.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <thread>
#include <tuple>
#include <vector>

#include "base/log/log_target.hpp"
#include "base/process.hpp"
#include "eventually.hpp"
#include "forked.hpp"
#include "scoreboard/lock/scoreboard_lock.hpp"

using namespace brood;
using brood::test::eventually;
using namespace std::chrono_literals;

namespace {

struct Table {
  Scoreboard scoreboard{"", ServerFacts::of_this_process("test"), "only", 64};
  std::vector<pid_t> children;
  ParentLock lock{scoreboard, [this](pid_t pid) { return std::ranges::count(children, pid) > 0; }};

  // Takes the lock and keeps it until it is told to go on, or for ever.
  pid_t child_that_holds(const Told* go_on = nullptr) {
    const Told held;
    children.push_back(forked([&] {
      {
        const ScoreboardLock mine(scoreboard, never);
        held.tell();
        go_on != nullptr ? go_on->wait() : static_cast<void>(::raise(SIGSTOP));
      }
      ::pause();
    }));
    held.wait();
    return children.back();
  }
  bool try_when_due() const {
    if (lock.due() != never) std::this_thread::sleep_until(lock.due());
    return static_cast<bool>(lock.take());
  }
  // Whoever does not run for a while when it is due sees the holder as a new one, and waits again.
  bool gets_it() const {
    return eventually([&] { return lock.take() || try_when_due(); });
  }
  RobustMutex::Holder holder() const { return scoreboard.gossip().mutex.holder(); }
  void wait_until_free() const {
    while (!ScoreboardLock(scoreboard, Clock::now() + 10s)) FAIL("the lock is not given back");
  }
};

const int quiet = (open_log({.name = "test", .to = "/dev/null"}), 0);

}  // namespace

TEST_CASE("a child that is stopped while one of its threads holds the lock is killed") {
  Table table;
  pid_t child = 0;
  bool other_thread = false;
  SUBCASE("the first thread") { child = table.child_that_holds(); }
  SUBCASE("another thread") {
    other_thread = true;
    const Told held;
    child = forked([&] {
      std::thread([&] {
        const ScoreboardLock mine(table.scoreboard, never);
        held.tell();
        ::kill(::getpid(), SIGSTOP);
        ::pause();
      }).join();
    });
    held.wait();
    table.children = {child};
  }
  const pid_t holder = table.holder().thread;
  CHECK((holder == child) != other_thread);
  CHECK(process_of(holder) == child);
  CHECK_FALSE(table.lock.take());
  CHECK(table.lock.due() != never);
  int status = 0;
  CHECK(eventually([&] {
    std::ignore = table.try_when_due();
    return ::waitpid(child, &status, WNOHANG) == child;
  }));
  CHECK(was_killed(status));
  CHECK(table.lock.take());
  CHECK(table.lock.due() == never);
  CHECK(table.scoreboard.gossip().recoveries.load() == 1);
}

TEST_CASE("a child is not killed for the hold of another, nor for one that it has ended") {
  Table table;
  const Told first_go_on, second_go_on;
  const pid_t first = table.child_that_holds(&first_go_on);
  CHECK_FALSE(table.lock.take());
  const Time due = table.lock.due();
  first_go_on.tell();
  table.wait_until_free();
  const pid_t second = table.child_that_holds(&second_go_on);
  std::this_thread::sleep_until(due);
  CHECK_FALSE(table.lock.take());
  CHECK(table.lock.due() > due);  // the second one's time begins
  second_go_on.tell();
  table.wait_until_free();
  CHECK(table.lock.take());
  for (const pid_t child : {first, second}) {
    CHECK(::waitpid(child, nullptr, WNOHANG) == 0);
    kill_now(child);
  }
}

TEST_CASE("a child that holds the lock while the parent did not run either is given its time again") {
  Table table;
  const Told go_on;
  const pid_t child = table.child_that_holds(&go_on);
  CHECK_FALSE(table.lock.take());
  std::this_thread::sleep_until(table.lock.due() + 1100ms);
  CHECK_FALSE(table.lock.take());
  go_on.tell();
  table.wait_until_free();
  CHECK(table.lock.take());
  CHECK(::waitpid(child, nullptr, WNOHANG) == 0);
  kill_now(child);
}

TEST_CASE("a child that cannot be killed loses the lock, and does not give back another's") {
  Table table;
  const Told go_on;
  const pid_t child = table.child_that_holds(&go_on);
  // A stranger to the pool stands for a child that does not die.
  table.children.clear();
  CHECK_FALSE(table.lock.take());
  {
    std::optional<ScoreboardLock> mine;
    REQUIRE(eventually([&] {
      std::this_thread::sleep_until(table.lock.due());
      mine.emplace(table.lock.take());
      return static_cast<bool>(*mine);
    }));
    go_on.tell();
    std::this_thread::sleep_for(20ms);
    CHECK(table.holder().thread == ::getpid());
  }
  CHECK(table.lock.take());
  kill_now(child);
}

TEST_CASE("whatever is written into the lock, the parent gets it soon, and kills nobody for it") {
  Table table;
  const pid_t stranger = forked([] { ::pause(); });
  const pid_t dead = forked([] {});
  status_of(dead);
  const auto id = [](pid_t pid) { return static_cast<std::uint32_t>(pid); };
  for (const std::uint32_t word :
       {0xffffffffU, 0x40000000U, 0x80000000U, 0x29292929U, 1U, id(stranger), id(dead), id(::getpid()),
        id(stranger) | FUTEX_WAITERS, id(dead) | FUTEX_WAITERS, id(stranger) | FUTEX_OWNER_DIED}) {
    CAPTURE(word);
    std::memcpy(static_cast<void*>(&table.scoreboard.gossip().mutex), &word, sizeof word);
    const pid_t child = forked([&] {
      if (!ScoreboardLock(table.scoreboard, never)) ::_exit(1);
    });
    CHECK(table.gets_it());
    CHECK(status_of(child) == 0);
    CHECK(table.lock.take());
  }
  CHECK(::waitpid(stranger, nullptr, WNOHANG) == 0);
  kill_now(stranger);
}

TEST_CASE("the lock of a child whose second thread executes another program while it holds it") {
  Table table;
  const pid_t child = forked([&] {
    std::thread([&] {
      const ScoreboardLock mine(table.scoreboard, never);
      ::execl("/bin/sleep", "sleep", "60", nullptr);
    }).join();
  });
  table.children = {child};
  while (table.holder().thread == 0 || process_of(table.holder().thread) == child) std::this_thread::yield();
  CHECK(table.gets_it());
  CHECK(::waitpid(child, nullptr, WNOHANG) == 0);
  kill_now(child);
}

TEST_CASE("the process of a thread is found") {
  CHECK(process_of(::getpid()) == ::getpid());
  pid_t process = 0;
  std::thread([&] { process = process_of(::gettid()); }).join();
  CHECK(process == ::getpid());
  CHECK(process_of(0) == 0);
}
