// SPDX-License-Identifier: MIT
// How long a client may keep its child waiting while other clients wait for a child, and whether they wait
// for long enough to ask. Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace brood {

// longest / (1 + 32 * waiting / places): half of `longest` if one client waits for 32 places, and the less
// the more wait. If everybody in front of it is slow, the last one in the queue waits for waiting / places
// times that, which is below longest / 32. A few that wait are no crowd, though they may be several for each
// child of a small service: the time is at least patience_of_few, or a second divided by those that wait if
// that is less, but not longer than `longest`. So the last one waits for a second / places at most, which is
// more than above for less than 8 places with the default. Never below shortest_patience. Each KiB that the
// client has sent gives it that time again: it is judged by its rate, and the more wait, the higher the rate
// must be.
std::chrono::nanoseconds patience_with(std::chrono::nanoseconds longest, unsigned waiting, unsigned places,
                                       std::uint64_t bytes);

// Decides whether a service is overloaded: its clients will wait for long. How long is what waits, divided by
// how many are accepted in a second (Little's law). In the parent.
class Overload {
 public:
  static constexpr std::chrono::milliseconds window{100};
  static constexpr std::chrono::milliseconds begins_at{100}, ends_below{25};

  // At each look, and a window after one at which clients wait. `waiting`: clients in the queues, while all
  // max-clients are busy; else 0. `accepted`: connections so far.
  bool look(unsigned waiting, std::uint64_t accepted, Time now);

 private:
  Time since_ = never;  // of this window; never: nobody waits
  std::uint64_t accepted_ = 0;
  bool is_ = false;
};

inline constexpr std::chrono::milliseconds shortest_patience{5};
inline constexpr std::chrono::milliseconds patience_of_few{100};  // a round trip over a long line
inline constexpr double crowd_weight = 32;
inline constexpr double bytes_for_patience = 1024;
// A child that waits for its client asks again after this time at the latest: the queue may have grown.
inline constexpr std::chrono::milliseconds patience_check_interval{100};

}  // namespace brood
