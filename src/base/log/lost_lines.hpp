// SPDX-License-Identifier: MIT
// How many lines the log has not taken, since when, and whether it took the last one in part. A process and
// those that it forks share this, so that a line counts although the child that wrote it is gone.
#pragma once

#include <atomic>
#include <cstdint>

namespace brood {

class LostLines {
 public:
  struct Count {
    std::uint64_t lines = 0;
    std::int64_t since = 0;  // nanoseconds of CLOCK_MONOTONIC
  };

  LostLines();
  ~LostLines();
  LostLines(const LostLines&) = delete;
  LostLines& operator=(const LostLines&) = delete;

  bool any() const { return shared_->lines.load(std::memory_order_relaxed) != 0; }
  void add(std::int64_t now);
  Count take();  // and begin again with 0
  // The last line was taken in part: a newline must come before the next one.
  bool torn() const { return shared_->torn.load(std::memory_order_relaxed); }
  void set_torn(bool torn) { shared_->torn.store(torn, std::memory_order_relaxed); }
  void give_back(const Count& count);  // it could not be reported

 private:
  struct Shared {
    std::atomic<std::uint64_t> lines{0};
    std::atomic<std::int64_t> since{0};
    std::atomic<bool> torn{false};
  };
  void* memory_;
  Shared alone_;  // if there is no memory to share
  Shared* shared_;
};

}  // namespace brood
