// SPDX-License-Identifier: MIT
// How long connections wait for one of several servers. Pure. Times are in seconds, loads in erlangs:
// arrivals a second times the mean time of service.
//
// Sources: A. O. Allen, Probability, Statistics, and Queueing Theory, 2nd edition, 1990: Erlang's C formula,
// and the correction of Allen and Cunneen for other than exponential times; W. Whitt, Approximations for the
// GI/G/m queue, 1993: the wait of those that wait is nearly exponential.
#pragma once

#include <cstdint>

namespace brood::ctl {

// The chance that an arrival finds all servers taken. 1 if the load is no less than the servers.
double erlang_c(std::uint64_t servers, double load);

struct Queue {
  double arrivals = 0;             // a second
  double service = 0;              // mean time of one
  double arrival_variability = 1;  // squared coefficient of variation of the times between them; 1: Poisson
  double service_variability = 1;  // of the service times; 1: exponential
  double load() const { return arrivals * service; }
};

struct Waits {
  double occupied = 0;     // share of the servers
  double chance = 0;       // to wait at all
  double mean = 0;         // over all arrivals; infinite if the load is too high
  double conditional = 0;  // mean of those that wait
  double chance_of_longer(double time) const;
};
Waits waits_at(const Queue& queue, std::uint64_t servers);

// The fewest servers at which at most this share waits for longer than `within`.
std::uint64_t servers_for(const Queue& queue, double share, double within);

}  // namespace brood::ctl
