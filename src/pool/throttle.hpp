// SPDX-License-Identifier: MIT
// Delays the start of children that fail: a few are replaced at once, then one is tried after 1 s, 2 s, 4 s …
// 60 s, until a child has proven itself. Pure: the caller says what time it is.
#pragma once

#include "base/clock.hpp"

namespace brood {

// What crosses an upgrade.
struct ThrottleDelay {
  Clock::duration delay{};  // 0: none
  Time may_start = Time::min();
  bool children_fail = false;
};

class Throttle {
 public:
  // A child has ended that had not proven itself (census.hpp), or it said that it can't work now. Failures
  // while a delay runs count as one: the delay doubles once for each try.
  void failed(Time now);
  // A child could not be forked.
  void could_not_fork(Time now);
  // A child was started. If there is a delay, no other is started while it runs.
  void started(Time now);
  // A child of the present generation has proven itself: all that are missing may be started.
  void proved();
  // No start is wanted, and none is under way. What comes next is tried without a delay.
  void complete(Time now);
  // What earlier children did says nothing of those that are started from now on.
  void new_generation() { proven_ = false; }
  void start_over() { *this = {}; }
  // After an upgrade. A new program may mend what fails: one start is tried at once, and if that fails, too,
  // the delays go on where they were. The former program that goes on has its delay as it was.
  void go_on(const ThrottleDelay& left, bool at_once);
  ThrottleDelay left() const {
    return {.delay = delay_, .may_start = may_start_, .children_fail = children_fail_};
  }

  // A child of the present generation has proven itself, and none has failed since.
  bool trusts() const { return proven_ && failures_ == 0; }
  bool active() const { return delay_ != Clock::duration::zero(); }
  // It is active because of fork(), not of the children.
  bool lacks_processes() const { return active() && !children_fail_; }
  Time may_start() const { return may_start_; }  // Time::min(): now
  Clock::duration delay() const { return delay_; }

 private:
  void wait_longer(Time now);

  Clock::duration delay_{};
  Time may_start_ = Time::min();
  unsigned failures_ = 0;  // since a child was proven
  bool proven_ = false;    // a child of the present generation
  bool probing_ = false;   // a child was started since the last failure, and has not failed yet
  bool children_fail_ = false;
};

// So many failures in a row are replaced at once: one that clients cause must not stop a service that works.
inline constexpr unsigned restarts_if_proven = 10;
inline constexpr unsigned restarts_if_new = 3;  // of a generation of which no child is proven

}  // namespace brood
