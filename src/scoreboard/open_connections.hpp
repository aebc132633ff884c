// SPDX-License-Identifier: MIT
// The open connections of a child, in the order in which they were accepted. In the child's own memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "brood/scoreboard_types.hpp"

namespace brood {

class OpenConnections {
 public:
  static constexpr ConnectionId none = UINT32_MAX;
  static constexpr std::int32_t not_measured = -1;
  struct Entry {
    std::int64_t since = 0;     // when it was accepted, in nanoseconds
    std::int64_t deadline = 0;  // if its handler has extended it: what it is now
    std::uint32_t listener = 0;
    std::int32_t waited = not_measured;  // in the queue of the listener, milliseconds
    std::array<std::byte, 32> peer{};    // as in Slot
    std::array<char, note_size> note{};
    bool counted = true;                      // as accepted
    ConnectionId older = none, newer = none;  // of a free entry: `newer` is the next free one
  };

  ConnectionId add(std::int64_t since);
  void remove(ConnectionId id);
  Entry& operator[](ConnectionId id) { return entries_[id]; }
  const Entry& operator[](ConnectionId id) const { return entries_[id]; }
  ConnectionId oldest() const { return oldest_; }
  std::uint32_t count() const { return count_; }

 private:
  std::vector<Entry> entries_;
  ConnectionId oldest_ = none, newest_ = none, free_ = none;
  std::uint32_t count_ = 0;
};

}  // namespace brood
