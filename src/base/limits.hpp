// SPDX-License-Identifier: MIT
// The limits of a service, as the settings have them; brood.conf(5) describes each.
#pragma once

#include <algorithm>
#include <chrono>

namespace brood {

inline constexpr unsigned most_threads = 1024;  // of a child

struct Limits {
  unsigned start_servers = 5;
  unsigned min_spare_servers = 5;
  unsigned max_spare_servers = 10;
  unsigned max_clients = 256;
  unsigned max_requests_per_child = 0;                 // 0: no limit
  std::chrono::milliseconds graceful_timeout{30'000};  // 0: no limit
  std::chrono::milliseconds connection_timeout{0};     // 0: no limit
  std::chrono::milliseconds idle_timeout{0};           // of a child; 0: no limit
  std::chrono::milliseconds leave_timeout{60'000};     // of a child without open connections
  std::chrono::milliseconds detach_timeout{300'000};
  // If the child model has them:
  unsigned threads_per_child = 1;
  unsigned max_connections_per_child = 1;                // at once
  std::chrono::milliseconds connection_idle_timeout{0};  // 0: no limit

  bool operator==(const Limits&) const = default;
};

// How many children are replaced at a time.
inline unsigned recycle_budget(unsigned children) { return std::clamp(children / 8, 1U, 32U); }

}  // namespace brood
