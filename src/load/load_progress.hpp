// SPDX-License-Identifier: MIT
// A load as people read it: a line while it runs, and a summary.
#pragma once

#include <cstdint>

#include "load/load.hpp"

namespace brood::load {

// On stderr; on a terminal one line that is rewritten.
class LoadProgress {
 public:
  LoadProgress();
  ~LoadProgress();
  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;

  void show(const LoadResult& so_far);

 private:
  const bool rewrites_;
  std::uint64_t answered_ = 0;
  std::chrono::nanoseconds elapsed_{0};
};

void print_summary(const LoadPlan& plan, const LoadResult& result);

}  // namespace brood::load
