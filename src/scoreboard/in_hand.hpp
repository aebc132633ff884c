// SPDX-License-Identifier: MIT
// The connections that a child has in hand, in the order in which they were accepted. A child's; not shared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "brood/scoreboard_words.hpp"

namespace brood {

class InHand {
 public:
  static constexpr Seat nobody = UINT32_MAX;
  struct Record {
    std::int64_t since = 0;  // nanoseconds; accepted then
    std::uint32_t listener = 0;
    std::array<std::byte, 32> peer{};  // as the row has it
    std::array<char, note_size> note{};
    Seat older = nobody, newer = nobody;  // free: the next free one is `newer`
  };

  Seat add(std::int64_t since);
  void remove(Seat seat);
  Record& operator[](Seat seat) { return records_[seat]; }
  Seat oldest() const { return oldest_; }
  std::uint32_t count() const { return count_; }

 private:
  std::vector<Record> records_;
  Seat oldest_ = nobody, newest_ = nobody, free_ = nobody;
  std::uint32_t count_ = 0;
};

}  // namespace brood
