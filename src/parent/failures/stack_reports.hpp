// SPDX-License-Identifier: MIT
// The reports of a service that have stacks: of children that signals have ended, and of slow connections.
// Parent only.
#pragma once

#include "parent/failures/crash_reports.hpp"
#include "parent/failures/slow_reports.hpp"

namespace brood {

struct StackReports {
  CrashReports of_crashes;
  SlowReports of_slow;

  bool reaped(pid_t pid, int code, int status) {  // false: it is another process
    return of_crashes.reaped(pid, code, status) || of_slow.reaped(pid, code, status);
  }
};

}  // namespace brood
