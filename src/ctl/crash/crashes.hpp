// SPDX-License-Identifier: MIT
// broodctl crashes: reads the journal of a server, and prints the children that signals have ended, those
// that ended alike as one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/crash/crash.hpp"
#include "ctl/invocation.hpp"

namespace brood::ctl {

struct CrashGroup {
  std::uint64_t number = 0;
  std::int64_t first = 0;  // seconds since 1970
  Crash last;
};

// Of one service, signal, note and place. The newest first. `crashes`: the oldest first. Pure.
std::vector<CrashGroup> group_crashes(std::span<const Crash> crashes);

int crashes(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
