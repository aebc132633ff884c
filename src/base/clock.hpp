// SPDX-License-Identifier: MIT
// The clock of all decisions and of the scoreboard: CLOCK_MONOTONIC, which is the same in every process.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace brood {

// std::chrono::steady_clock, without a call into another library: children read it twice for each connection.
struct Clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;
  static time_point now() noexcept {
    timespec time;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by clock_gettime
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }
};
using Time = Clock::time_point;

inline constexpr Time never = Time::max();

// From now on; 0: no limit. Without one the clock is not read.
inline Time deadline_in(std::chrono::milliseconds timeout) {
  return timeout.count() == 0 ? never : Clock::now() + timeout;
}

// For shared memory: a time as nanoseconds of CLOCK_MONOTONIC.
inline std::int64_t to_nanoseconds(Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}
inline timespec to_timespec(std::chrono::nanoseconds time) {
  return {.tv_sec = static_cast<std::time_t>(time.count() / 1'000'000'000),
          .tv_nsec = static_cast<long>(time.count() % 1'000'000'000)};
}
inline Time from_nanoseconds(std::int64_t nanoseconds) {
  return Time(std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace brood
