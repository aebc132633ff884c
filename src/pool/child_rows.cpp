// SPDX-License-Identifier: MIT
#include "pool/child_rows.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "scoreboard/slot_reader.hpp"

namespace brood {

ChildRows::ChildRows(const Scoreboard& scoreboard, std::uint32_t service, const ChildTable& children)
    : scoreboard_(scoreboard), first_row_(scoreboard.service(service).first_slot), children_(children) {}

SlotSnapshot ChildRows::view(std::uint32_t slot) const {
  return read_slot((*this)[slot], scoreboard_.slot_orders(row(slot)), is_idle(slot), slot, Clock::now());
}

Lifecycle ChildRows::lifecycle(std::uint32_t slot) const {
  return Lifecycle::unpack((*this)[slot].lifecycle.load(std::memory_order_acquire));
}

bool ChildRows::outdated(std::uint32_t slot, std::uint32_t generation) const {
  return children_[slot].generation != generation || lifecycle(slot).asks;
}

bool ChildRows::is_busy(std::uint32_t slot) const { return (*this)[slot].open_connections.load(relaxed) > 0; }

bool ChildRows::is_full(std::uint32_t slot) const {
  const Slot& row = (*this)[slot];
  return row.open_connections.load(relaxed) >= std::max(row.capacity.load(relaxed), 1U);
}

bool ChildRows::leaves_by_itself(std::uint32_t slot) const {
  const Lifecycle body = lifecycle(slot);
  return body.phase == Phase::leaving && (body.reason == Reason::own_stop || body.reason == Reason::detached);
}

// What the child says, but not before it was forked. A time far in the future is nonsense that would never
// pass.
Time ChildRows::idle_since(std::uint32_t slot, Time now) const {
  const Time since = from_nanoseconds((*this)[slot].since.load(relaxed));
  const Time forked = children_[slot].forked_at;
  return since > now + std::chrono::seconds(1) ? forked : std::clamp(since, forked, std::max(now, forked));
}

std::string ChildRows::serving(std::uint32_t slot) const {
  const SlotSnapshot child = view(slot);
  if (child.open_connections == 0) return "";
  return text(" while serving ", child.peer, child.note.empty() ? "" : " '" + child.note + "'", " for ",
              child.busy_for,
              child.open_connections > 1 ? text(" and ", child.open_connections - 1, " others") : "");
}

}  // namespace brood
