// SPDX-License-Identifier: MIT
// The lock's owner killed in the middle of an update, ten thousand times, with others waiting for it.
#include <doctest/doctest.h>

#include <array>

#include "base/log/log_target.hpp"
#include "forked.hpp"
#include "scoreboard/lock/scoreboard_lock.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr auto recovery_time = 20s;  // a deadline, not a measure

struct Table {
  Scoreboard scoreboard{"", ServerFacts::of_this_process("test"), "only", 64};

  ScoreboardLock lock(Clock::duration wait = recovery_time) const {
    return {scoreboard, Clock::now() + wait};
  }
  bool can_lock() const { return static_cast<bool>(lock()); }
  // The idle bits and pids match the phases of the slots.
  void check_consistent() const {
    for (std::uint32_t slot = 0; slot < 64; ++slot) {
      const Lifecycle body = Lifecycle::unpack(scoreboard.slot(slot).lifecycle.load());
      if (body.phase != Phase::serving) CHECK_FALSE(scoreboard.is_idle(slot));
      if (body.phase == Phase::empty) CHECK(scoreboard.slot(slot).pid.load() == 0);
    }
  }
};

// Dies after so many steps of an update: what ready(), leave() and free() do under the lock.
void die_in_update(const Scoreboard& scoreboard, std::uint32_t slot, unsigned step) {
  const ScoreboardLock lock(scoreboard, never);
  Slot& row = scoreboard.slot(slot);
  if (step > 0) row.pid.store(4711);
  if (step > 1) scoreboard.set_idle(slot, true);
  if (step > 2) row.lifecycle.store(Lifecycle{.phase = Phase::serving}.pack());
  if (step > 3) row.lifecycle.store(Lifecycle{.phase = Phase::leaving}.pack());
  if (step > 4) row.lifecycle.store(0xdeadbeef);
  ::kill(::getpid(), SIGKILL);
}

// Each recovery says so, to an operator; here that is 10,000 lines.
const int quiet = (open_log({.name = "test", .to = "/dev/null"}), 0);

}  // namespace

TEST_CASE(
    "10,000 kills of an owner in the middle of an update: each is recovered from, and no process waits "
    "for ever" *
    doctest::test_suite("slow")) {
  const Table table;
  // Two others that take the lock without pause, all the time.
  std::array<pid_t, 2> others{};
  for (auto& other : others)
    other = forked([&] {
      for (;;)
        if (!table.lock()) ::_exit(1);
    });
    // Eight at a time: on a busy machine each one waits for a processor.
#ifdef __SANITIZE_ADDRESS__
  constexpr int kills = 2'000;  // fork() takes many times as long
#else
  constexpr int kills = 10'000;
#endif
  constexpr std::uint32_t at_once = 8;
  for (int i = 0; i < kills; i += at_once) {
    std::array<pid_t, at_once> owners{};
    for (std::uint32_t k = 0; k < at_once; ++k) {
      const auto number = static_cast<unsigned>(i) + k;
      owners[k] = forked([&] { die_in_update(table.scoreboard, number % 64, number % 6); });
    }
    for (const pid_t owner : owners) REQUIRE(was_killed(status_of(owner)));
    REQUIRE(table.can_lock());
    if (i % 64 == 64 - at_once) {
      table.check_consistent();
      for (std::uint32_t row = 0; row < 64; ++row) table.scoreboard.free(row);
    }
  }
  for (const pid_t other : others) {
    int status = 0;
    CHECK(::waitpid(other, &status, WNOHANG) == 0);  // still at it: it never failed to get the lock
    ::kill(other, SIGKILL);
    status_of(other);
  }
  REQUIRE(table.can_lock());
  table.check_consistent();
  // The two others may have died inside as well.
  CHECK(table.scoreboard.gossip().recoveries.load() >= kills);
  CHECK(table.scoreboard.gossip().recoveries.load() <= kills + 2);
}

TEST_CASE("an owner that dies in its repair leaves it to the next one") {
  const Table table;
  status_of(forked([&] { die_in_update(table.scoreboard, 5, 2); }));
  status_of(forked([&] {
    // As ScoreboardLock, but dies before it has repaired anything.
    const RobustLock lock(table.scoreboard.gossip().mutex, never);
    if (lock.result() == Locked::owner_died) ::kill(::getpid(), SIGKILL);
  }));
  CHECK(table.can_lock());
  table.check_consistent();
  CHECK(table.scoreboard.gossip().recoveries.load() == 1);
}

TEST_CASE("several owners that die in the same moment") {
  const Table table;
  for (int round = 0; round < 200; ++round) {
    std::array<pid_t, 6> children{};
    for (auto& child : children)
      child = forked([&] {
        for (;;) {
          const auto lock = table.lock();
          table.scoreboard.set_idle(3, true);
        }
      });
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) status_of(child);
    REQUIRE(table.can_lock());
  }
}

TEST_CASE("after the deadline lock_holder() names the process that holds the lock") {
  const Table table;
  const Told held;
  const pid_t holder = forked([&] {
    const auto lock = table.lock();
    held.tell();
    ::raise(SIGSTOP);
  });
  held.wait();
  CHECK_FALSE(table.lock(20ms));
  CHECK(table.scoreboard.lock_holder() == holder);
  ::kill(holder, SIGKILL);
  CHECK(table.can_lock());
  status_of(holder);
}
