// SPDX-License-Identifier: MIT
// Makes lines of what processes write to standard output and error. Several of them write into one socket,
// and a line may come in pieces. Pure: the time is an argument.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace brood {

class OutputLines {
 public:
  using Sink = std::function<void(pid_t writer, std::string_view line)>;
  // A line that has not ended.
  struct Part {
    pid_t writer = 0;
    std::string text{};
    std::uint64_t cut = 0;  // bytes beyond the longest line
    Time since{};
  };

  static constexpr std::size_t longest_line = 2048;
  static constexpr std::size_t most_parts = 64;
  static constexpr std::chrono::seconds patience{1};  // with a line that does not end

  // Each line that has ended goes to `sink`.
  void add(pid_t writer, std::string_view data, Time now, const Sink& sink);
  void ended(pid_t writer, const Sink& sink);  // what it has written last is a line, also without a newline
  // Takes what waits for its end for too long as a line. Returns when to call this again.
  Time look(Time now, const Sink& sink);

  const std::vector<Part>& parts() const { return parts_; }
  void take_over(std::vector<Part> parts) { parts_ = std::move(parts); }

 private:
  Part& part_of(pid_t writer, Time now, const Sink& sink);
  static void pass_on(const Part& part, const Sink& sink);

  std::vector<Part> parts_;  // the oldest first
};

}  // namespace brood
