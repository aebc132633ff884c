// SPDX-License-Identifier: MIT
// A timer as a listener: each period it becomes readable, and tells the one who reads it how many periods
// are over. Parent only.
#pragma once

#include <chrono>

#include "brood/descriptor.hpp"

namespace brood {

Descriptor start_timer(std::chrono::milliseconds period);  // throws SystemError
// Another period; 0 stops it, with what was not read yet.
void set_timer(const Descriptor& timer, std::chrono::milliseconds period);  // throws SystemError

}  // namespace brood
