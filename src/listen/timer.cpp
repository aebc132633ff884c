// SPDX-License-Identifier: MIT
#include "listen/timer.hpp"

#include <sys/timerfd.h>

#include <cerrno>

#include "base/clock.hpp"
#include "brood/error.hpp"

namespace brood {

Descriptor start_timer(std::chrono::milliseconds period) {
  Descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) throw SystemError("timerfd_create", errno);
  set_timer(timer, period);
  return timer;
}

void set_timer(const Descriptor& timer, std::chrono::milliseconds period) {
  const timespec time = to_timespec(period);
  const itimerspec each{.it_interval = time, .it_value = time};
  if (::timerfd_settime(timer.get(), 0, &each, nullptr) != 0) throw SystemError("set a timer", errno);
}

}  // namespace brood
