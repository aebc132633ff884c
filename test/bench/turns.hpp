// SPDX-License-Identifier: MIT
// Two servers under the same load, in turns. Rates move by a factor of three from minute to minute on a
// shared machine; ratios hold, where the two are measured in turns of a fraction of a second, and client and
// servers share one CPU, so that the time to wake a sleeping CPU stays out of it, and what other programs
// take of it can be left out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "load_client.hpp"
#include "report.hpp"

namespace brood::bench {

struct Contestant {
  std::string address;
  std::vector<pid_t> processes;  // those that serve
};

struct Ratios {
  // First to second. With client and processes on one CPU, which is never idle, and nobody else on it, an
  // exchange a second of CPU time is one a second by the clock. With others on it, it still is the rate of
  // that part of a second that they leave.
  Samples cpu_second, clock_second;
  Samples cpu;                      // of the processes, for an exchange
  Samples first_rate, second_rate;  // exchanges a second by the clock
  Samples second_cpu;               // microseconds of the processes' for an exchange
  std::uint64_t failed = 0;

  double ratio() const { return cpu_second.median(); }
};

// `plan` says how they are loaded; its duration, where it has one, is a turn's. Connections that are kept
// alive stand while it is the other one's turn.
Ratios compare(const Contestant& first, const Contestant& second, const LoadPlan& plan, int rounds);

}  // namespace brood::bench
