// SPDX-License-Identifier: MIT
// How the parent ends a child that takes too long, step by step or at once. Knows neither why nor when: who
// asks does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "pool/child_table.hpp"

namespace brood {

inline constexpr std::chrono::seconds escalation_patience{5};  // between ABRT, KILL and "lost"

// The next step: SIGABRT, then SIGKILL, then it is lost. `doing`: " while serving …", or "".
void escalate(ChildRecord& child, const std::string& doing, const char* why, Time now);
// SIGKILL at once, for a reason that was told.
void end_now(ChildRecord& child, Time now);

}  // namespace brood
