// SPDX-License-Identifier: MIT
// What a child writes down for the history of its service: its own row at each connection, the tables that it
// shares with its siblings once a second at most, when it sees the first connection of a new second. So
// nothing ticks, and what an idle child has written last is found in its row.
#pragma once

#include <cstdint>
#include <span>

#include "scoreboard/history/wait_sampling.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

class Scoreboard;

class ChildPast {
 public:
  ChildPast(const Scoreboard& scoreboard, Slot& row);

  void begin(std::int64_t now) { waits_.begin(now); }

  // Before the figures of the row change.
  void look(std::int64_t now) {
    if (now >= next_second_) begin_second(now);
  }
  // The child has its only connection. `spares`: other children that can take one.
  void becomes_busy(std::uint32_t spares) {
    const std::uint32_t serving = serving_.load(relaxed);
    const std::uint32_t level = serving > spares ? serving - spares : 1;
    row_.past.level.store(level, relaxed);
    if (level > row_.past.in_history.most_busy.load(relaxed)) note_most_busy(level);
  }
  // Whether to measure how long the connection has waited that is accepted now.
  const WaitSampling& waits() const { return waits_; }
  void finished(std::int64_t now, std::int64_t took) {
    waits_.ended(now, took);
    if (const std::uint32_t busy = row_.past.level.load(relaxed); busy != 0) note_level(busy, took);
  }
  // A connection has waited for so long; with it, `most_waiting` were in the queue.
  void waited(std::int64_t now, std::uint32_t milliseconds, bool each);
  void saw_waiting(std::uint32_t number) { raise(row_.past.waits.most_waiting, number); }

 private:
  void begin_second(std::int64_t now);
  void note_most_busy(std::uint32_t busy);
  void note_level(std::uint32_t busy, std::int64_t took) {
    BusyLevel& level = row_.past.levels[busy % busy_levels];
    if (level.busy.load(relaxed) != busy) change_level(level, busy);
    add(level.nanoseconds, took > 0 ? static_cast<std::uint64_t>(took) : 0);
  }
  void change_level(BusyLevel& level, std::uint32_t busy);
  void hand_in(BusyLevel& level);

  Slot& row_;
  HistoryTable& table_;
  const std::span<Shared<std::uint64_t>> busy_times_;
  const Shared<std::uint32_t>& serving_;
  std::int64_t next_second_ = 0;  // when it begins, nanoseconds
  WaitSampling waits_;
};

}  // namespace brood
