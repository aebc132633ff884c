// SPDX-License-Identifier: MIT
// Says, in words or as JSON, which limits a workload needs, and what others would give. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/advise/workload.hpp"

namespace brood::ctl {

struct Wish {
  double share = 0.01;                       // of the connections, at most
  double within = 0.005;                     // wait for longer than this; seconds
  std::optional<std::uint32_t> max_clients;  // what if
};

struct Means {
  std::uint32_t max_clients = 0, capacity = 1;  // capacity: connections of a child
  double memory_of_child = 0;                   // bytes; 0: not known
  double memory_available = 0;                  // of the machine
  std::uint32_t children = 0;
};

struct AdvisedLimits {
  std::uint64_t start_servers = 0, min_spare_servers = 0, max_spare_servers = 0, max_clients = 0;
};
// max-clients by the wish. The spares by the square root of the load, which is how much the number of busy
// servers varies by chance: S. Halfin and W. Whitt, Heavy-Traffic Limits for Queues with Many Exponential
// Servers, 1981.
AdvisedLimits limits_for(const Queue& queue, const Wish& wish, std::uint32_t capacity);

struct Advised {
  std::string service;
  Workload work;
  Means means;
  bool counts_connections = true;  // false: its program does not report them, and there is no advice
};
std::string advice_as_json(const std::vector<Advised>& services, const Wish& wish);
std::string advice(const std::string& service, const Workload& work, const Wish& wish, const Means& means);

}  // namespace brood::ctl
