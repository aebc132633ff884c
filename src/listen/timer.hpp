// SPDX-License-Identifier: MIT
// A timer as a listener (timerfd(2)): it becomes readable once each period, and a read returns how many
// periods have passed. Parent only.
#pragma once

#include <chrono>

#include "brood/descriptor.hpp"

namespace brood {

Descriptor start_timer(std::chrono::milliseconds period);  // throws SystemError
// Changes the period. 0 stops the timer and drops ticks that were not read yet.
void set_timer(const Descriptor& timer, std::chrono::milliseconds period);  // throws SystemError

}  // namespace brood
