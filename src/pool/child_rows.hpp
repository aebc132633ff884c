// SPDX-License-Identifier: MIT
// One child as the parent sees it: its own record beside the child's row on the scoreboard. Changes nothing,
// and believes the scoreboard only within its range. Slots are counted from 0 within the service.
#pragma once

#include <cstdint>
#include <string>

#include "brood/snapshot.hpp"
#include "pool/child_table.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

class ChildRows {
 public:
  // `service`: its index on the scoreboard. The references outlive it.
  ChildRows(const Scoreboard& scoreboard, std::uint32_t service, const ChildTable& children);

  std::uint32_t row(std::uint32_t slot) const { return first_row_ + slot; }
  const Slot& operator[](std::uint32_t slot) const { return scoreboard_.slot(row(slot)); }

  SlotSnapshot view(std::uint32_t slot) const;
  Lifecycle lifecycle(std::uint32_t slot) const;
  bool outdated(std::uint32_t slot, std::uint32_t generation) const;
  bool is_idle(std::uint32_t slot) const { return scoreboard_.is_idle(row(slot)); }
  bool is_busy(std::uint32_t slot) const;  // has open connections
  bool is_full(std::uint32_t slot) const;
  bool leaves_by_itself(std::uint32_t slot) const;  // by this_child
  Time idle_since(std::uint32_t slot, Time now) const;
  Clock::duration age(std::uint32_t slot, Time now) const { return now - children_[slot].forked_at; }
  std::string serving(std::uint32_t slot) const;  // " while serving 127.0.0.1:4711 'GET /' for 2s", or ""

 private:
  const Scoreboard& scoreboard_;
  const std::uint32_t first_row_;
  const ChildTable& children_;
};

}  // namespace brood
