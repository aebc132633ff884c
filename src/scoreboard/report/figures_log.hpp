// SPDX-License-Identifier: MIT
// Writes the figures of a service into its log every figures-interval. Once nothing has happened during one,
// and no connection is open, there is no line until something happens: the next child that becomes busy wakes
// the parent then, so that an idle service has no tick. Parent only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "brood/snapshot.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

// Since the last line, or since lines began.
struct FiguresInterval {
  // What changes when something happens.
  struct Activity {
    std::uint64_t accepted = 0, ended = 0, children_started = 0, children_gone = 0;
    bool any_open = false;
    bool operator==(const Activity&) const = default;
  };

  std::optional<ServiceSnapshot> before;  // at its begin; empty: there are no lines
  Activity activity;                      // at that time
  Time since{};
  bool quiet = false;  // nothing has happened in the one before
};

class FiguresLog {
 public:
  // Whether the parent must be woken by the next child that becomes busy.
  bool waits_for_activity() const { return interval_.quiet; }

  // The next program of the process goes on with the interval.
  const FiguresInterval& hand_over() const { return interval_; }
  void take_over(const FiguresInterval& left) { interval_ = left; }

  // After children were told, by the scoreboard, when to wake the parent. `interval`: 0: no lines. Returns
  // when to look again.
  Time look(std::chrono::milliseconds interval, const Scoreboard& scoreboard, Time now);

 private:
  void begin(const Scoreboard& scoreboard, Time now);
  void write(const Scoreboard& scoreboard, Time now);

  FiguresInterval interval_;
};

}  // namespace brood
