// SPDX-License-Identifier: MIT
// Reads the journal and the history of a service, and how long its children were busy. In any process; takes
// no lock. Whatever children have written, what comes out is in range.
#pragma once

#include <span>

#include "base/clock.hpp"
#include "brood/snapshot.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

struct PastTables {
  const ServiceOrders& service;
  const JournalTable& journal;
  const HistoryTable& history;
  std::span<const Shared<std::uint64_t>> busy_times;
  std::span<const Slot> rows;
};

// `to` has the totals of the same moment.
void read_past(const PastTables& tables, Time now, ServiceSnapshot& to);

}  // namespace brood
