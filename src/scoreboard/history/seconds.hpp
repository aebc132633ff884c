// SPDX-License-Identifier: MIT
// Changes a word of the history for one second, from any process, and reads it. A word of another second,
// from ten minutes ago or earlier, counts as 0.
#pragma once

#include <algorithm>
#include <cstdint>

#include "scoreboard/history/history_tables.hpp"

namespace brood {

inline constexpr std::int64_t second_in_nanoseconds = 1'000'000'000;

inline std::uint32_t second_of(std::int64_t nanoseconds) {
  return static_cast<std::uint32_t>(nanoseconds / second_in_nanoseconds);
}

inline Second& place_of(HistoryTable& table, std::uint64_t second) {
  return table.seconds.at(second % history_seconds);
}
inline const Second& place_of(const HistoryTable& table, std::uint64_t second) {
  return table.seconds.at(second % history_seconds);
}

inline std::uint32_t value_in(const SecondWord& word, std::uint32_t second) {
  const std::uint64_t whole = word.load(relaxed);
  return whole >> 32U == second ? static_cast<std::uint32_t>(whole) : 0;
}

// `change` gets the number of this second and returns the next one. A word of a later second stays.
template <typename Change>
void change_in(SecondWord& word, std::uint32_t second, const Change& change) {
  std::uint64_t whole = word.load(relaxed);
  for (;;) {
    if (whole >> 32U > second && whole >> 32U < second + history_seconds * 2) return;
    const std::uint64_t number = whole >> 32U == second ? whole & UINT32_MAX : 0;
    const std::uint64_t next = std::min<std::uint64_t>(change(number), UINT32_MAX);
    if (word.compare_exchange_weak(whole, std::uint64_t{second} << 32U | next, relaxed)) return;
  }
}

inline void add_in(SecondWord& word, std::uint32_t second, std::uint64_t amount) {
  if (amount != 0) change_in(word, second, [amount](std::uint64_t number) { return number + amount; });
}

inline void raise_in(SecondWord& word, std::uint32_t second, std::uint64_t value) {
  if (value > value_in(word, second))
    change_in(word, second, [value](std::uint64_t number) { return std::max(number, value); });
}

}  // namespace brood
