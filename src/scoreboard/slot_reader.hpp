// SPDX-License-Identifier: MIT
// Reads a row of the scoreboard while its child may be writing it.
#pragma once

#include "base/clock.hpp"
#include "brood/snapshot.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

FiguresSnapshot read_figures(const Figures& figures);
SlotSnapshot read_slot(const Slot& slot, const SlotOrders& orders, bool idle, std::uint32_t index, Time now);

}  // namespace brood
