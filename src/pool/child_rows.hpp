// SPDX-License-Identifier: MIT
// One child as the parent sees it: its own record beside the child's row on the scoreboard. Changes nothing,
// and believes the scoreboard only within its range.
#pragma once

#include <cstdint>
#include <string>

#include "brood/snapshot.hpp"
#include "pool/child_table.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

class ChildRows {
 public:
  // The references outlive it.
  ChildRows(const Scoreboard& scoreboard, const ChildTable& children)
      : scoreboard_(scoreboard), children_(children) {}

  const Slot& operator[](std::uint32_t slot) const { return scoreboard_.slot(slot); }

  SlotSnapshot view(std::uint32_t slot, Time now) const;
  Lifecycle lifecycle(std::uint32_t slot) const;
  bool outdated(std::uint32_t slot, std::uint32_t generation) const;
  bool is_idle(std::uint32_t slot) const { return scoreboard_.is_idle(slot); }
  bool is_busy(std::uint32_t slot) const;  // has open connections
  bool is_full(std::uint32_t slot) const;
  bool has_finished_one(std::uint32_t slot, Time now) const;  // a connection
  bool leaves_by_itself(std::uint32_t slot) const;            // by this_child
  Time since(
      std::uint32_t slot) const;  // when its oldest connection began; none is open: when the last ended
  Time idle_since(std::uint32_t slot, Time now) const;
  // Until when its handler has extended connection-timeout; Time{}: it has not.
  Time extended_until(std::uint32_t slot, Time now) const;
  Clock::duration age(std::uint32_t slot, Time now) const { return now - children_[slot].forked_at; }
  std::string serving(std::uint32_t slot) const;  // " while serving 127.0.0.1:4711 'GET /' for 2s", or ""

 private:
  const Scoreboard& scoreboard_;
  const ChildTable& children_;
};

}  // namespace brood
