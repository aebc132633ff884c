// SPDX-License-Identifier: MIT
// The parent of a simulated service: when it looks, and what it decides then. It has the policy and the
// throttle of the real one (pool/), and is woken as the real one is (parent/growth.cpp,
// scoreboard/child_slot.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "ctl/simulate/children.hpp"
#include "pool/policy.hpp"
#include "pool/throttle.hpp"

namespace brood::ctl {

class SimulatedParent {
 public:
  // `fork_time`: how long it is busy for each child that it starts.
  SimulatedParent(const Limits& limits, Clock::duration fork_time) : limits_(limits), fork_time_(fork_time) {}

  // ---- what wakes it
  void wake() { woken_ = true; }
  void connection_arrives() { woken_ |= watches_; }
  void child_becomes_busy(unsigned spares);
  void child_becomes_idle(const SimulatedChild& child, unsigned spares);
  // `asked`: it was told to.
  void child_ended(Children& children, ChildId id, bool asked, Time now);

  // ---- what it does
  Time next_look(Time now) const;
  struct Orders {
    unsigned start = 0, start_replacements = 0;
    std::vector<ChildId> leave;
  };
  Orders look(Children& children, unsigned waiting, Time now);
  std::uint64_t looks() const { return looks_; }

 private:
  void publish(const Children& children);
  void note_progress(Children& children, Time now);
  bool delayed(Time now) const { return throttle_.active() && now < throttle_.may_start(); }

  const Limits limits_;
  const Clock::duration fork_time_;
  Throttle throttle_;
  Pace pace_;
  Thresholds wake_{}, wanted_{};
  struct Seen {
    unsigned spares = 0, busy = 0;
  };
  Seen seen_;  // at the last look
  unsigned fewest_idle_ = 0;
  bool woken_ = true, watches_ = false, wakes_when_proven_ = false;
  bool publishes_ = false;  // wanted_, when it has forked
  Time look_again_ = never, busy_until_{};
  std::uint64_t looks_ = 0;
};

}  // namespace brood::ctl
