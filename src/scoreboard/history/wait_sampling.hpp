// SPDX-License-Identifier: MIT
// Decides for which connections a child asks the kernel how long they have waited in the queue of their
// listener. Such a question is a system call, and most connections have not waited.
//
// A connection can have waited only if accept() did not sleep. Who knows is the clock: between the end of a
// connection and the next accept pass one or two microseconds if it did not. So nothing is asked
//  * if the time between is long. After a connection that took long, others can have waited for its end, and
//    the child may have been interrupted: then a longer time is needed to believe in sleep;
//  * while connections are short, but for once a second: they would have to be very many to wait for long;
//  * while they are not quite as short, but for four times a second. A child that has to share its processor
//    with many others has such ones, whatever its handlers do.
// While waits are long, one in 16 ms is measured and stands for those between.
//
// Pure; in a child. Times are nanoseconds of CLOCK_MONOTONIC.
#pragma once

#include <cstdint>

#include "brood/scoreboard_types.hpp"

namespace brood {

class WaitSampling {
 public:
  // The child can serve from now on. What it accepts at once may have waited for it.
  void begin(std::int64_t now) { ended_at_ = now; }
  // A connection is accepted. `spares`: other children can take connections, too.
  bool due(std::int64_t now, bool spares) const {
    const std::int64_t pause = now - ended_at_;
    if (pause > (took_ >= slow ? (spares ? slow : surely_slept) : slept)) return false;
    if (took_ >= very_slow) return true;
    if (waits_are_long_) return now - measured_at_ >= while_long;
    return now - measured_at_ >= (took_ >= slow ? while_slow : while_quick);
  }
  // For children that hold many connections: they wait for other things as well.
  bool due_in_loop(std::int64_t now) const { return now - measured_at_ >= while_long; }
  void ended(std::int64_t now, std::int64_t took) {
    ended_at_ = now;
    took_ = took;
  }
  // The connection that was accepted as number `accepted` of this child has waited for so many milliseconds.
  // Returns for how many it stands.
  std::uint64_t measured(std::int64_t now, std::uint32_t milliseconds, std::uint64_t accepted) {
    const bool is_long = milliseconds >= wait_resolution;
    const bool goes_on =
        is_long && waits_are_long_ && took_ < very_slow && now - measured_at_ < 2 * while_long;
    const std::uint64_t stands_for = goes_on && accepted > accepted_ ? accepted - accepted_ : 1;
    measured_at_ = now;
    accepted_ = accepted;
    waits_are_long_ = is_long;
    return stands_for;
  }

 private:
  static constexpr std::int64_t slept = 50'000;
  static constexpr std::int64_t slow = 8'000'000, very_slow = 64'000'000;
  static constexpr std::int64_t surely_slept = 250'000'000;
  static constexpr std::int64_t while_long = 16'000'000, while_slow = 250'000'000;
  static constexpr std::int64_t while_quick = 1'000'000'000;

  std::int64_t ended_at_ = 0, took_ = very_slow, measured_at_ = -while_quick;
  std::uint64_t accepted_ = 0;
  bool waits_are_long_ = false;
};

}  // namespace brood
