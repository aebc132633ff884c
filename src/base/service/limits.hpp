// SPDX-License-Identifier: MIT
// The limits of a service, as the settings have them; brood.conf(5) describes each.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace brood {

inline constexpr unsigned most_threads = 1024;  // of a child

// By how much a handler can extend its connection's deadline at a time. What the scoreboard says beyond that
// is nonsense.
inline constexpr std::chrono::hours longest_extension{1};

struct Limits {
  unsigned start_servers = 5;
  unsigned min_spare_servers = 5;
  unsigned max_spare_servers = 10;
  unsigned max_clients = 256;
  unsigned max_requests_per_child = 0;                     // 0: no limit
  std::chrono::milliseconds max_lifetime_per_child{0};     // 0: no limit
  std::uint64_t max_memory_per_child = 0;                  // bytes; 0: no limit
  std::chrono::milliseconds graceful_timeout{30'000};      // 0: no limit
  std::chrono::milliseconds connection_timeout{0};         // 0: no limit
  std::chrono::milliseconds first_byte_timeout{0};         // 0: no limit
  std::chrono::milliseconds slow_timeout{0};               // 0: no connection is slow
  std::chrono::milliseconds overload_read_timeout{4'000};  // 0: no limit
  std::chrono::milliseconds idle_timeout{0};               // of a child; 0: no limit
  std::chrono::milliseconds leave_timeout{60'000};         // of a child without open connections
  std::chrono::milliseconds detach_timeout{300'000};
  // If the child model has them:
  unsigned threads_per_child = 1;
  unsigned max_connections_per_child = 1;                // at once
  std::chrono::milliseconds connection_idle_timeout{0};  // 0: no limit

  bool operator==(const Limits&) const = default;
};

// How many children are replaced at a time: a tenth.
inline unsigned recycle_budget(unsigned children) { return std::clamp(children / 10, 1U, 32U); }

}  // namespace brood
