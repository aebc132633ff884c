// SPDX-License-Identifier: MIT
// Reads a row of the scoreboard while its child may be writing it.
#pragma once

#include "base/clock.hpp"
#include "brood/snapshot.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

// A sum that ends at the largest duration: the parts may be nonsense that a child has written.
std::chrono::microseconds sum(std::chrono::microseconds one, std::chrono::microseconds other);
// Of the finished connections.
std::chrono::microseconds read_duration(const Figures& figures);
FiguresSnapshot read_figures(const Figures& figures, const NotAccepted& others);
SlotSnapshot read_slot(const Slot& slot, const SlotOrders& orders, bool idle, std::uint32_t index, Time now);

}  // namespace brood
