// SPDX-License-Identifier: MIT
// What a service has had to do while it was looked at. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "brood/snapshot.hpp"
#include "ctl/advise/queueing.hpp"

namespace brood::ctl {

struct Workload {
  Queue queue;
  double seconds = 0;
  std::uint64_t accepted = 0, finished = 0;
  double open = 0;          // connections, on average over the looks
  double all_taken = 0;     // the share of looks at which no child could take another connection
  bool independent = true;  // the arrivals do not vary otherwise than those of independent clients
  bool thin = false;        // too few connections
};
inline constexpr std::uint64_t fewest_connections = 100;

// At equal intervals; two or more.
struct LookAtService {
  std::chrono::duration<double> at;
  FiguresSnapshot total;
  std::uint32_t open = 0;
  bool all_taken = false;
};
Workload workload_of(const std::vector<LookAtService>& looks);

// The squared coefficient of variation of the times in a histogram. Within a step, their logarithms are taken
// as evenly spread.
double variability_of(const LatencyHistogram& latency);
// Of arrivals, from the numbers in equal intervals: variance by mean (the index of dispersion), which for a
// renewal process tends to the variability of the times between them. D. R. Cox and P. A. W. Lewis, The
// Statistical Analysis of Series of Events, 1966. 1 if it is no further from that than chance can make it.
double dispersion_of(const std::vector<double>& counts, bool& independent);

}  // namespace brood::ctl
