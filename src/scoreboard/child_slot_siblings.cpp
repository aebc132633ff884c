// SPDX-License-Identifier: MIT
// What a child sees of its siblings.
#include <algorithm>
#include <bit>

#include "scoreboard/child_slot.hpp"
#include "scoreboard/slot_reader.hpp"

namespace brood {

std::uint32_t ChildSlot::more_than_a_sibling() const {
  const std::uint32_t own = open_connections();
  std::uint32_t fewest = own;
  for (std::uint32_t word = 0; word < idle_words_.size() && fewest > 0; ++word) {
    std::uint64_t spares = idle_words_[word].load(relaxed) & spare_words_[word].load(relaxed);
    for (; spares != 0; spares &= spares - 1) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(spares));
      fewest = std::min(fewest, scoreboard_.slot(word * bits_per_word + bit).open_connections.load(relaxed));
    }
  }
  return own - fewest;
}

ChildSlot::Pool ChildSlot::look_at_pool() const {
  Pool pool{.spares = count_spares()};
  for (std::uint32_t word = 0; word < spare_words_.size(); ++word) {
    std::uint64_t counted = spare_words_[word].load(relaxed);
    for (; counted != 0; counted &= counted - 1) {
      const Slot& row =
          scoreboard_.slot(word * bits_per_word + static_cast<std::uint32_t>(std::countr_zero(counted)));
      if (Lifecycle::unpack(row.lifecycle.load(relaxed)).phase != Phase::serving) continue;
      ++pool.children;
      if (row.open_connections.load(relaxed) > 0) ++pool.busy;
      pool.finished += row.figures.finished.load(relaxed);
      pool.duration = sum(pool.duration, read_duration(row.figures));
    }
  }
  return pool;
}

}  // namespace brood
