// SPDX-License-Identifier: MIT
// How the state of a service is reported: from when on readers of the scoreboard warn, by what clients got
// lately, and how often its log has its figures. brood.conf(5) describes each.
#pragma once

#include <chrono>

namespace brood {

struct StatusSettings {
  unsigned failed_warning = 10, failed_critical = 50;  // percent of the connections; 0: never
  std::chrono::milliseconds wait_warning{1000}, wait_critical{10'000};  // in a queue; 0: never
  std::chrono::milliseconds figures_interval{0};                        // 0: no figures

  bool operator==(const StatusSettings&) const = default;
};

}  // namespace brood
