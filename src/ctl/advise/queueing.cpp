// SPDX-License-Identifier: MIT
#include "ctl/advise/queueing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace brood::ctl {

double erlang_c(std::uint64_t servers, double load) {
  const auto number = static_cast<double>(servers);
  if (load <= 0) return 0;
  if (load >= number) return 1;
  // Erlang's B formula, by its recursion, which loses no digits.
  double blocked = 1;
  for (std::uint64_t i = 1; i <= servers; ++i)
    blocked = load * blocked / (static_cast<double>(i) + load * blocked);
  return number * blocked / (number - load * (1 - blocked));
}

double Waits::chance_of_longer(double time) const {
  if (occupied >= 1) return 1;
  if (conditional <= 0) return time > 0 ? 0 : chance;
  return chance * std::exp(-time / conditional);
}

Waits waits_at(const Queue& queue, std::uint64_t servers) {
  const auto number = static_cast<double>(servers);
  Waits waits{.occupied = number > 0 ? queue.load() / number : 1, .chance = erlang_c(servers, queue.load())};
  if (waits.occupied >= 1) {
    waits.mean = waits.conditional = std::numeric_limits<double>::infinity();
    return waits;
  }
  const double free = number / std::max(queue.service, 1e-9) - queue.arrivals;  // a second
  waits.conditional = (queue.arrival_variability + queue.service_variability) / 2 / free;
  waits.mean = waits.chance * waits.conditional;
  return waits;
}

std::uint64_t servers_for(const Queue& queue, double share, double within) {
  // Beyond the load the chance falls faster than by a half for each square root of it.
  auto servers = static_cast<std::uint64_t>(std::floor(std::max(queue.load(), 0.0))) + 1;
  while (waits_at(queue, servers).chance_of_longer(within) > share) ++servers;
  return servers;
}

}  // namespace brood::ctl
