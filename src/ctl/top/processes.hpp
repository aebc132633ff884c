// SPDX-License-Identifier: MIT
// Memory and processor time of children, from /proc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

namespace brood::ctl {

struct ProcessFigures {
  std::uint64_t memory_bytes = 0;    // resident, without files and shared memory
  std::optional<double> processors;  // how many it has used since the last look; empty: there was none
};

class Processes {
 public:
  // Those of `pids` that can be read.
  std::map<pid_t, ProcessFigures> look(std::span<const pid_t> pids,
                                       std::chrono::steady_clock::time_point now);

 private:
  struct Seen {
    std::uint64_t start_time = 0;  // another one: it is another process
    std::chrono::duration<double> used{};
    std::chrono::steady_clock::time_point at;
  };
  std::map<pid_t, Seen> seen_;
};

}  // namespace brood::ctl
