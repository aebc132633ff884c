// SPDX-License-Identifier: MIT
// Waits longer and longer before children are started that die at once: 1 s, 2 s, 4 s … 60 s. Pure: it is
// told the time.
#pragma once

#include "base/clock.hpp"

namespace brood {

class Throttle {
 public:
  // A child died before its first connection, said that it is sick, or could not be forked. Failures while a
  // delay runs are the same failure: the delay doubles once a try.
  void failed(Time now);
  // A child was started: while there were failures, the next one waits for the verdict on this one.
  void started(Time now);
  // A child that was started since the last failure finished a connection.
  void cleared() { *this = {}; }

  bool probing() const {
    return probing_;
  }  // a child was started since the last failure, and has not failed yet
  bool active() const { return delay_ != Clock::duration::zero(); }
  Time may_start() const { return may_start_; }  // Time::min(): now
  Time last_failure() const { return last_failure_; }
  Clock::duration delay() const { return delay_; }

 private:
  Clock::duration delay_{};
  bool probing_ = false;
  Time may_start_ = Time::min();
  Time last_failure_ = Time::min();
};

}  // namespace brood
