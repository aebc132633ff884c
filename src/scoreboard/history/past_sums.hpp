// SPDX-License-Identifier: MIT
// Adds what is in a child's row to what its service keeps: by the child, by the parent when the child is
// gone, and by readers. A row may have any bytes; what cannot be is left out.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "scoreboard/slot.hpp"

namespace brood {

// The bucket of WaitHistogram.
inline std::size_t wait_bucket(std::uint32_t milliseconds) {
  const auto width = static_cast<std::size_t>(std::bit_width(milliseconds));
  return std::clamp<std::size_t>(width, 3, wait_buckets + 2) - 3;
}

// What a child has changed since it wrote to the history last.
struct Unseen {
  std::uint32_t second = 0;  // in which that was; 0: there is nothing
  std::uint64_t finished = 0, failed = 0, timed_out = 0, probes = 0, milliseconds = 0;
  std::uint32_t most_busy = 0;
};
Unseen unseen_of(const Slot& row);
inline bool in_history(std::uint32_t second, std::uint32_t now) {
  return second != 0 && second <= now && now - second < history_seconds;
}
void add_unseen(const Slot& row, HistoryTable& to);

// In the parent, of a child that is gone and whose figures make sense.
struct Lifetime {
  std::int64_t from, to;  // nanoseconds of CLOCK_MONOTONIC
};
void add_past(const Slot& row, Lifetime lifetime, ServiceOrders& service, HistoryTable& history,
              std::span<Shared<std::uint64_t>> busy_times);
void clear(PastOfChild& past);

}  // namespace brood
