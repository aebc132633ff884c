// SPDX-License-Identifier: MIT
// Logs the stacks of a service's children that signals have ended, and adds these to the journal of the
// server. To find the names of functions takes long and reads files that a child has named: it is done in a
// short-lived process, which is one of the service's user then. One at a time; it has those that have come
// since the last one began. Parent only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/crash/crash.hpp"
#include "parent/failures/report_process.hpp"

namespace brood {

class CrashReports {
 public:
  struct Place {
    std::string journal;           // "": there is none
    std::optional<gid_t> readers;  // of the journal
    ReportProcess process;
  };

  void note(Crash crash);
  // Starts the process if there is something to report, and ends one that takes too long. Returns when to
  // look again.
  Time look(const Place& place, Time now);
  bool reaped(pid_t pid, int code, int status);  // false: it is another process

 private:
  void begin(const Place& place, Time now);
  void end_without_names();

  std::vector<Crash> waiting_, reported_;
  unsigned left_out_ = 0;  // because too many were waiting
  pid_t pid_ = 0;          // 0: none
  Time deadline_ = never;
};

}  // namespace brood
