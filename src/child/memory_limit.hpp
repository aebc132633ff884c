// SPDX-License-Identifier: MIT
// max-memory-per-child: whether this child has more private memory than that. In a child; its threads take
// turns.
//
// Private is what no other process shares: pages that the child has from its parent count only when it has
// written to them. That is what is given back when the child ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"

namespace brood {

class MemoryLimit {
 public:
  // 0: no limit, and no system call is made here or later. Before the root directory changes: the files of
  // /proc stay open. If they can't be opened, that is logged, and there is no limit.
  explicit MemoryLimit(std::uint64_t bytes);

  // Looks, if it is time to, and is true from the first look on that finds more.
  bool look();
  bool exceeded() const { return exceeded_; }

 private:
  const std::uint64_t limit_;
  bool exceeded_ = false;
  Time next_look_;
  Descriptor sizes_;   // /proc/self/statm
  Descriptor totals_;  // /proc/self/smaps_rollup
};

// The bytes that no other process has; `totals`: what /proc/self/smaps_rollup says.
std::optional<std::uint64_t> private_memory(std::string_view totals);

}  // namespace brood
