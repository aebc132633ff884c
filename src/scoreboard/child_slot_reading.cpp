// SPDX-License-Identifier: MIT
// The waits of handlers for their clients' input, as the parent and the siblings see them.
#include <algorithm>
#include <bit>
#include <cstdlib>

#include "scoreboard/child_slot.hpp"

namespace brood {

// The parent reads it to know whom it has to interrupt when the service becomes overloaded. It looks again
// while that lasts, so no order of memory is needed.
[[gnu::hot]] void ChildSlot::begin_read() {
  if (is_detached()) return;
  if (turn_)
    row_.reading.fetch_add(1, relaxed);
  else
    add(row_.reading, 1);
}

[[gnu::hot]] void ChildSlot::end_read() {
  if (is_detached()) return;
  if (turn_)
    row_.reading.fetch_sub(1, relaxed);
  else
    add(row_.reading, -1U);
  not_overdue();
}

// Negative: the connection ends for it.
[[gnu::hot]] void ChildSlot::not_overdue() {
  if (row_.overdue_since.load(relaxed) > 0) row_.overdue_since.store(0, relaxed);
}

unsigned ChildSlot::places() const {
  const std::uint64_t places = std::uint64_t{service_.max_clients.load(relaxed)} * capacity_.connections;
  return static_cast<unsigned>(std::clamp<std::uint64_t>(places, 1, UINT32_MAX));
}

// Each child comes to the same order. One that has taken a place among the first keeps it until it is spare.
bool ChildSlot::must_end(Time overdue_since, unsigned clients_waiting) {
  const auto turn = this->turn();
  if (is_detached()) return false;
  const bool ends_one = turn_ && row_.overdue_since.load(relaxed) < 0;  // in another thread
  const std::int64_t own = std::max<std::int64_t>(to_nanoseconds(overdue_since), 1);
  if (!ends_one) row_.overdue_since.store(own, relaxed);
  unsigned before = count_spares() + (ends_one ? 1 : 0);
  for (std::uint32_t word = 0; word < spare_words_.size(); ++word) {
    std::uint64_t counted = spare_words_[word].load(relaxed);
    for (; counted != 0 && before < clients_waiting; counted &= counted - 1) {
      const std::uint32_t slot = word * bits_per_word + static_cast<std::uint32_t>(std::countr_zero(counted));
      if (slot == slot_index_) continue;
      const std::int64_t its = scoreboard_.slot(slot).overdue_since.load(relaxed);
      const bool earlier = its > 0 && (its < own || (its == own && slot < slot_index_));
      if (its < 0 || earlier) ++before;
    }
  }
  if (before >= clients_waiting) return false;
  row_.overdue_since.store(-own, relaxed);
  return true;
}

}  // namespace brood
