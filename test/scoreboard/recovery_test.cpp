// SPDX-License-Identifier: MIT
// The lock's owner killed in the middle of an update, ten thousand times, with others waiting for it.
#include <doctest/doctest.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <thread>

#include "base/log_target.hpp"
#include "brood/descriptor.hpp"
#include "scoreboard/child_slot.hpp"
#include "scoreboard/scoreboard_lock.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;  // a deadline, not a measure

pid_t in_child(const std::function<void()>& body) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent) {
    ::alarm(280);
    body();
  }
  ::_exit(0);
}

int wait_for(pid_t pid) {
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

struct Table {
  std::array<ServiceShape, 1> shapes = {{{"only", 64}}};
  Scoreboard scoreboard{"", "test", shapes};
  Descriptor wake{::eventfd(0, EFD_NONBLOCK)};

  ScoreboardLock lock(Side side, Clock::duration wait = patience) const {
    return {scoreboard, side, Clock::now() + wait};
  }
  bool can_lock(Side side) const { return static_cast<bool>(lock(side)); }
  bool lock_is_free() const { return can_lock(Side::parent) && can_lock(Side::child); }
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
  const ScoreboardLock lock(scoreboard, Side::child, never);
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
    "for ever") {
  const Table table;
  // Two others that take the lock without pause, all the time.
  std::array<pid_t, 2> others{};
  for (auto& other : others)
    other = in_child([&] {
      for (;;)
        if (!table.lock(Side::child)) ::_exit(1);
    });
  constexpr int kills = 10'000;
  for (int i = 0; i < kills; ++i) {
    const auto slot = static_cast<std::uint32_t>(i % 64);
    const int status =
        wait_for(in_child([&] { die_in_update(table.scoreboard, slot, static_cast<unsigned>(i) % 6); }));
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGKILL);
    REQUIRE(table.lock_is_free());
    if (i % 64 == 63) {
      table.check_consistent();
      for (std::uint32_t row = 0; row < 64; ++row) table.scoreboard.free(0, row);
    }
  }
  for (const pid_t other : others) {
    int status = 0;
    CHECK(::waitpid(other, &status, WNOHANG) == 0);  // still at it: it never failed to get the lock
    ::kill(other, SIGKILL);
    wait_for(other);
  }
  REQUIRE(table.lock_is_free());
  table.check_consistent();
  // The two others may have died inside as well.
  CHECK(table.scoreboard.gossip().recoveries.load() >= kills);
  CHECK(table.scoreboard.gossip().recoveries.load() <= kills + 2);
}

TEST_CASE("an owner that dies in its repair leaves it to the next one") {
  const Table table;
  wait_for(in_child([&] { die_in_update(table.scoreboard, 5, 2); }));
  wait_for(in_child([&] {
    // Takes the lock as ScoreboardLock does, and dies before mark_consistent().
    if (table.scoreboard.gossip().mutex.lock_until(never) == Locked::owner_died) ::kill(::getpid(), SIGKILL);
  }));
  CHECK(table.lock_is_free());
  table.check_consistent();
  CHECK(table.scoreboard.gossip().recoveries.load() == 1);
}

TEST_CASE("several owners that die in the same moment") {
  const Table table;
  for (int round = 0; round < 200; ++round) {
    std::array<pid_t, 6> children{};
    for (auto& child : children)
      child = in_child([&] {
        for (;;) {
          const auto lock = table.lock(Side::child);
          table.scoreboard.set_idle(3, true);
        }
      });
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) wait_for(child);
    REQUIRE(table.lock_is_free());
  }
}

TEST_CASE("a child that was forked while its parent held the lock does not own it") {
  const Table table;
  int status = 0;
  {
    const auto lock = table.lock(Side::child);
    status = wait_for(in_child([&] { ::_exit(table.lock(Side::child, 50ms) ? 1 : 0); }));
  }
  CHECK(status == 0);
  CHECK(table.lock_is_free());
}

TEST_CASE("after the deadline lock_holder() names the process that holds the lock") {
  const Table table;
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t holder = in_child([&] {
    const auto lock = table.lock(Side::child);
    [[maybe_unused]] const auto written = ::write(ends[1], "x", 1);
    ::raise(SIGSTOP);
  });
  char byte = 0;
  REQUIRE(::read(ends[0], &byte, 1) == 1);
  CHECK_FALSE(table.lock(Side::child, 20ms));
  CHECK(table.scoreboard.lock_holder() == holder);
  ::kill(holder, SIGKILL);
  CHECK(table.lock_is_free());
  wait_for(holder);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("parent and children keep each other out, and wake each other") {
  const Table table;
  // A counter that only the lock guards.
  auto& counter = table.scoreboard.slot(0).pid;
  counter.store(0);
  constexpr int rounds = 20'000;
  const auto count = [&](Side side) {
    for (int i = 0; i < rounds; ++i) {
      const auto lock = table.lock(side);
      if (!lock) ::_exit(1);
      counter.store(counter.load() + 1);
    }
  };
  std::array<pid_t, 3> children{};
  for (auto& child : children) child = in_child([&] { count(Side::child); });
  count(Side::parent);
  for (const pid_t child : children) CHECK(wait_for(child) == 0);
  CHECK(counter.load() == 4 * rounds);
}

TEST_CASE("nonsense in the lock doesn't hold the parent up for ever, nor lead it astray") {
  const Table table;
  auto* bytes = reinterpret_cast<unsigned char*>(&table.scoreboard.gossip().mutex);
  std::fill(bytes, bytes + sizeof(pthread_mutex_t),
            static_cast<unsigned char>(0x29));  // a thread id that nobody has
  CHECK_FALSE(table.lock(Side::parent, 20ms));
  table.scoreboard.break_lock();
  CHECK(table.lock(Side::parent));
}
