// SPDX-License-Identifier: MIT
#include "pool/child_rows.hpp"

#include <algorithm>

#include "base/service/limits.hpp"
#include "base/text.hpp"
#include "scoreboard/slot_reader.hpp"

namespace brood {

SlotSnapshot ChildRows::view(std::uint32_t slot, Time now) const {
  return read_slot((*this)[slot], scoreboard_.slot_orders(slot), is_idle(slot), slot, now);
}

Lifecycle ChildRows::lifecycle(std::uint32_t slot) const {
  return Lifecycle::unpack((*this)[slot].lifecycle.load(std::memory_order_acquire));
}

bool ChildRows::outdated(std::uint32_t slot, std::uint32_t generation) const {
  const ChildRecord& child = children_[slot];
  return child.generation != generation || child.expired || lifecycle(slot).asks;
}

bool ChildRows::is_busy(std::uint32_t slot) const { return (*this)[slot].open_connections.load(relaxed) > 0; }

bool ChildRows::is_full(std::uint32_t slot) const {
  const Slot& row = (*this)[slot];
  return row.open_connections.load(relaxed) >= std::max(row.capacity.load(relaxed), 1U);
}

// What is no number of connections that a child of this age can have had is no proof of anything.
bool ChildRows::has_finished_one(std::uint32_t slot, Time now) const {
  const Figures& figures = (*this)[slot].figures;
  const std::uint64_t finished = figures.finished.load(relaxed), accepted = figures.accepted.load(relaxed);
  const auto age = std::chrono::ceil<std::chrono::microseconds>(now - children_[slot].forked_at);
  return finished > 0 && finished <= accepted &&
         accepted <= static_cast<std::uint64_t>(std::max<std::int64_t>(age.count(), 0)) + 1;
}

bool ChildRows::leaves_by_itself(std::uint32_t slot) const {
  const Lifecycle body = lifecycle(slot);
  return body.phase == Phase::leaving && (body.reason == Reason::own_stop || body.reason == Reason::detached);
}

// What the child says. Nonsense makes connections slow, or never slow, and nothing else.
Time ChildRows::since(std::uint32_t slot) const {
  return from_nanoseconds((*this)[slot].since.load(relaxed));
}

// What the child says, but not before it was forked. A time far in the future is nonsense that would never
// pass.
Time ChildRows::idle_since(std::uint32_t slot, Time now) const {
  const Time since = this->since(slot);
  const Time forked = children_[slot].forked_at;
  return since > now + std::chrono::seconds(1) ? forked : std::clamp(since, forked, std::max(now, forked));
}

Time ChildRows::extended_until(std::uint32_t slot, Time now) const {
  const Time until = from_nanoseconds((*this)[slot].deadline.load(relaxed));
  return until > now + longest_extension ? Time{} : until;
}

std::string ChildRows::serving(std::uint32_t slot) const {
  const SlotSnapshot child = view(slot, Clock::now());
  if (child.open_connections == 0) return "";
  return text(" while serving ", child.peer, child.note.empty() ? "" : " '" + child.note + "'", " for ",
              child.busy_for,
              child.open_connections > 1 ? text(" and ", child.open_connections - 1, " others") : "");
}

}  // namespace brood
