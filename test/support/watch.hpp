// SPDX-License-Identifier: MIT
// Looks at a server's scoreboard all the time, in a thread of its own, for promises that must hold at every
// moment: how few and how many there ever were. The sum rule is checked at each look.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "brood/snapshot.hpp"

namespace brood::test {

class Watch {
 public:
  // `seen` is called in the watching thread, with each snapshot that shows one moment. A snapshot is read row
  // by row: while it was read, a child in a row that was read first may have become ready, and one that was
  // read last may have left. So it counts only if the next one shows the same children in the same phases.
  Watch(std::string scoreboard, std::function<void(const ServiceSnapshot&)> seen);
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void stop();
  // After stop():
  std::uint64_t looks() const { return looks_; }
  std::uint64_t broken_sums() const { return broken_sums_; }

 private:
  void look(const std::string& scoreboard);

  std::function<void(const ServiceSnapshot&)> seen_;
  ServiceSnapshot last_;
  std::uint64_t looks_ = 0, broken_sums_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// The rules that hold in every snapshot of a service.
bool sums_hold(const ServiceSnapshot& service);

}  // namespace brood::test
