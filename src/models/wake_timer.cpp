// SPDX-License-Identifier: MIT
#include "models/wake_timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "brood/error.hpp"

namespace brood {

WakeTimer::WakeTimer() : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!timer_) throw SystemError("timerfd_create", errno);
}

void WakeTimer::wake_at(Time time) {
  if (time >= wakes_at_) return;
  wakes_at_ = time;
  const std::chrono::nanoseconds since_epoch(std::max<std::int64_t>(to_nanoseconds(time), 1));
  const itimerspec at{.it_interval = {}, .it_value = to_timespec(since_epoch)};
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
}

bool WakeTimer::went_off() {
  std::uint64_t ticks = 0;
  if (::read(timer_.get(), &ticks, sizeof ticks) < 0) return false;
  wakes_at_ = never;
  return true;
}

}  // namespace brood
