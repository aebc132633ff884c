// SPDX-License-Identifier: MIT
// The connections that a simulated service gets: described, recorded in a file, or those of the last ten
// minutes of a live service. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "brood/snapshot.hpp"

namespace brood::ctl {

struct Arrival {
  std::chrono::nanoseconds at, service;  // since the begin; how long a child has it, alone on a processor
};

struct Load {
  std::vector<Arrival> arrivals;  // in the order of time
  std::chrono::nanoseconds length{};
};

// So many connections a second, on average, for so long.
struct Interval {
  double rate = 0, seconds = 0;
};
// "10/s for 30s, 200/s for 10s". Throws Error.
std::vector<Interval> parse_intervals(std::string_view written);

struct ServiceTimes {
  double mean = 0;         // seconds
  double variability = 1;  // squared coefficient of variation; 0: all are the same, 1: exponential
};

using Random = std::mt19937_64;

// Independent clients: the times between arrivals are exponential.
Load load_of(const std::vector<Interval>& intervals, const ServiceTimes& times, Random& random);
// A line for each connection: when it comes and how long a child has it, in seconds. '#' begins a comment.
// Throws Error with the place of a mistake, which begins with `name`.
Load read_load(std::string_view content, const std::string& name);
// In each second as many as ended in it, which have come one service time before at random times. Only those
// that were let in are known.
Load load_of(const ServiceSnapshot& service, Random& random);

}  // namespace brood::ctl
