// SPDX-License-Identifier: MIT
// A service without processes, in virtual time: events in their order, from arrivals to the ends of children.
// Pure: what happens follows from the load, the scenario and the seed. Children have one connection at a
// time, and the one that has waited for longest gets the next.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/service/limits.hpp"
#include "ctl/simulate/arrivals.hpp"

namespace brood::ctl {

struct Scenario {
  Limits limits;
  unsigned listen_backlog = 4096;
  std::chrono::nanoseconds start_time{},
      fork_time{};                         // of a child, until it is ready; of the parent, for each fork
  double failing_starts = 0, crashes = 0;  // shares: of the starts; of the connections, which end their child
  double processors = 0;                   // 0: no child waits for one
  double computes = 1;                     // the share of a service time that needs one
};

// At the end of a step, or in it.
struct SimulatedStep {
  std::chrono::nanoseconds at{};
  unsigned children = 0, busy = 0, spare = 0;          // at its end
  unsigned most_waiting = 0;                           // in it
  std::uint64_t arrivals = 0, forks = 0, refused = 0;  // in it
};

struct SimulationResult {
  std::vector<SimulatedStep> steps;
  // Seconds, ascending: until a child took the connection, or until the end; from the arrival to the end of
  // those that were served.
  std::vector<float> waits, times;
  std::uint64_t arrivals = 0, refused = 0, forks = 0, failed_starts = 0, crashed = 0, looks = 0;
  unsigned most_children = 0, most_busy = 0, most_waiting = 0;
  unsigned still_waiting = 0;

  float wait_of(double share) const;  // so many wait no longer
  float time_of(double share) const;
  double waited(double longer_than) const;  // the share of those
};

SimulationResult run_simulation(const Scenario& scenario, const Load& load, std::chrono::nanoseconds step,
                                std::uint64_t seed);

// The same with `number` steps in one.
std::vector<SimulatedStep> joined(const std::vector<SimulatedStep>& steps, std::size_t number);

}  // namespace brood::ctl
