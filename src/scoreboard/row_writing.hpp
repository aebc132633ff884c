// SPDX-License-Identifier: MIT
// How a child writes to its row while others read it.
#pragma once

#include <atomic>
#include <cstdint>

#include "scoreboard/shared.hpp"

namespace brood {

// Marks the row as "being written" for readers, who then read again (a seqlock with one writer).
class Writing {
 public:
  explicit Writing(Shared<std::uint32_t>& sequence) : sequence_(sequence) {
    sequence_.store(sequence_.load(relaxed) + 1, relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  ~Writing() { sequence_.store(sequence_.load(relaxed) + 1, std::memory_order_release); }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  Shared<std::uint32_t>& sequence_;
};

}  // namespace brood
