// SPDX-License-Identifier: MIT
// What the kernel says of a running process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace brood::bench {

// Voluntary and involuntary, of all its threads.
std::uint64_t context_switches(pid_t pid);
// How long it has run on a CPU; to the nanosecond, where ps would say hundredths of a second.
std::chrono::nanoseconds cpu_time(pid_t pid);
// Pages that it shares with nobody, KiB. Empty where the kernel doesn't tell.
std::optional<std::uint64_t> private_memory(pid_t pid);
// Its share of the pages that several have, and its own, KiB.
std::optional<std::uint64_t> proportional_memory(pid_t pid);
std::vector<pid_t> children_of(pid_t pid);
std::string free_address();  // 127.0.0.1 with a port that nobody has at this moment
char state_of(pid_t pid);    // 'R', 'S', 'T', …; '\0': no such process

// While this lives, the calling thread, and what it starts, runs on this CPU alone.
class Pinned {
 public:
  explicit Pinned(unsigned cpu);
  ~Pinned();
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

 private:
  std::vector<unsigned> before_;
};

}  // namespace brood::bench
