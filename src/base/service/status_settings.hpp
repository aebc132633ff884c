// SPDX-License-Identifier: MIT
// From when on readers of the scoreboard warn, by what clients got lately; brood.conf(5) describes each.
#pragma once

#include <chrono>

namespace brood {

struct StatusSettings {
  unsigned failed_warning = 10, failed_critical = 50;  // percent of the connections; 0: never
  std::chrono::milliseconds wait_warning{1000}, wait_critical{10'000};  // in a queue; 0: never

  bool operator==(const StatusSettings&) const = default;
};

}  // namespace brood
