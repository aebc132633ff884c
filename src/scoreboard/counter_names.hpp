// SPDX-License-Identifier: MIT
// The names of a server's own counters and gauges, and their places in Figures::own. The parent writes them;
// children and readers find a place by its name.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "scoreboard/slot.hpp"

namespace brood {

struct CounterDescription {
  std::string_view name, help;
  bool gauge = false;
};

// At most most_counters of them. A name that is there already keeps its place: children that an older program
// has started, before an upgrade, go on counting there. One that is not wanted any more loses its place only
// if there is no free one.
void publish_counters(ServiceOrders& orders, std::span<const CounterDescription> wanted);

std::optional<std::size_t> find_counter(const ServiceOrders& orders, std::string_view name, bool gauge);

// Empty: the place is free.
CounterDescription counter_at(const ServiceOrders& orders, std::size_t place);

}  // namespace brood
