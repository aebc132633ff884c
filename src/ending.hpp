// SPDX-License-Identifier: MIT
// How the parent ends a child that takes too long, step by step, and how it tells of a child's end. Knows
// neither why nor when: who asks does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "children.hpp"

namespace brood {

inline constexpr std::chrono::seconds ending_patience{5};  // between ABRT, KILL and "lost"

// The next step: SIGABRT, then SIGKILL, then it is lost. `doing`: " while serving …", or "".
void escalate(ChildRecord& child, const std::string& doing, const char* why, Time now);

// As waitid() told: "exited with code 1".
std::string how_it_ended(int code, int status);

}  // namespace brood
