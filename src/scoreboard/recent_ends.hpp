// SPDX-License-Identifier: MIT
// What the children that ended lately have done, for readers: how many ended while they served, and how many
// connections they had finished. Older ones count less, an eighth for each that ends after them. It tells a
// service whose connections mostly end in a crash from one that works. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace brood {

struct RecentEnds {
  static constexpr std::uint32_t one = 256;           // both are counted in such parts
  static constexpr std::uint64_t most_finished = 64;  // of one child: what it did long ago says little

  std::uint32_t crashed = 0;
  std::uint32_t finished = 0;

  RecentEnds with(bool child_crashed, std::uint64_t connections) const {
    if (!child_crashed && connections == 0) return *this;
    return {.crashed = crashed - crashed / 8 + (child_crashed ? one : 0),
            .finished = finished - finished / 8 +
                        static_cast<std::uint32_t>(std::min(connections, most_finished)) * one};
  }
};

}  // namespace brood
