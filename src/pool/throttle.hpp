// SPDX-License-Identifier: MIT
// Delays the start of children that fail at once, longer and longer: 1 s, 2 s, 4 s … 60 s. Pure: the caller
// says what time it is.
#pragma once

#include "base/clock.hpp"

namespace brood {

class Throttle {
 public:
  // A child ended before its first connection or with exit code 71, or could not be forked. Failures while a
  // delay runs count as one: the delay doubles once for each try.
  void failed(Time now);
  // A child was started. If there were failures before, no other is started while the delay runs.
  void started(Time now);
  // A child that was started since the last failure is proven (census.hpp).
  void cleared() { *this = {}; }

  // A child was started since the last failure, and has not failed yet.
  bool probing() const { return probing_; }
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
