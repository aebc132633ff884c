// SPDX-License-Identifier: MIT
#include "scoreboard/history/child_past.hpp"

#include <algorithm>
#include <bit>

#include "scoreboard/history/past_sums.hpp"
#include "scoreboard/history/seconds.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

ChildPast::ChildPast(const Scoreboard& scoreboard, Slot& row)
    : row_(row),
      table_(scoreboard.history()),
      busy_times_(scoreboard.busy_times()),
      serving_(scoreboard.service().serving) {}

void ChildPast::begin_second(std::int64_t now) {
  InHistory& last = row_.past.in_history;
  if (last.second.load(relaxed) != 0) add_unseen(row_, table_);
  for (BusyLevel& level : row_.past.levels) hand_in(level);
  last.finished.store(row_.figures.finished.load(relaxed), relaxed);
  last.failed.store(row_.figures.failed.load(relaxed), relaxed);
  last.timed_out.store(row_.figures.timed_out.load(relaxed), relaxed);
  last.probes.store(row_.figures.probes.load(relaxed), relaxed);
  last.duration.store(row_.figures.duration.load(relaxed), relaxed);
  last.most_busy.store(0, relaxed);
  const std::uint32_t second = second_of(now);
  last.second.store(second, relaxed);
  next_second_ = (std::int64_t{second} + 1) * second_in_nanoseconds;
}

void ChildPast::note_most_busy(std::uint32_t busy) {
  row_.past.in_history.most_busy.store(busy, relaxed);
  raise(row_.past.most_busy, busy);
}

// Several numbers of children have the same place.
void ChildPast::change_level(BusyLevel& level, std::uint32_t busy) {
  hand_in(level);
  level.busy.store(busy, relaxed);
}

void ChildPast::hand_in(BusyLevel& level) {
  const std::uint64_t time = level.nanoseconds.load(relaxed);
  const std::uint32_t busy = level.busy.load(relaxed);
  if (time == 0) return;
  level.nanoseconds.store(0, relaxed);
  if (busy < busy_times_.size()) busy_times_[busy].fetch_add(time, relaxed);
}

void ChildPast::waited(std::int64_t now, std::uint32_t milliseconds, bool each) {
  const std::uint64_t stands_for = waits_.measured(now, milliseconds, row_.figures.accepted.load(relaxed));
  if (milliseconds < wait_resolution) return;
  const std::uint64_t connections = each ? 1 : stands_for;
  WaitFigures& waits = row_.past.waits;
  raise(waits.longest, milliseconds);
  add(waits.milliseconds, connections * milliseconds);
  add(waits.longer.at(wait_bucket(milliseconds) - 1), connections);
  raise_in(place_of(table_, second_of(now)).longest_wait, second_of(now), milliseconds);
}

}  // namespace brood
