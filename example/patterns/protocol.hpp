// SPDX-License-Identifier: MIT
// What all patterns answer, so that one load client measures them all: a line to each line. `work N` hashes
// for N rounds, `wait N` waits for N milliseconds as for a database; anything else comes back as it was sent.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace patterns {

inline constexpr std::uint64_t most_rounds = 10'000'000;
inline constexpr std::uint64_t longest_wait = 1000;

inline std::optional<std::uint64_t> number_behind(std::string_view line, std::string_view command,
                                                  std::uint64_t most) {
  std::uint64_t number = 0;
  if (!line.starts_with(command)) return {};
  line.remove_prefix(command.size());
  const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
  if (read.ec != std::errc{} || read.ptr != line.data() + line.size()) return {};
  return std::min(number, most);
}

inline std::uint64_t hash(std::uint64_t rounds) {
  std::uint64_t value = 14695981039346656037U;
  for (std::uint64_t i = 0; i < rounds; ++i) value = (value ^ (i & 0xffU)) * 1099511628211U;
  return value;
}

// With its newline.
inline std::string answer(const std::string& line) {
  if (const auto rounds = number_behind(line, "work ", most_rounds))
    return std::to_string(hash(*rounds)) + '\n';
  if (const auto time = number_behind(line, "wait ", longest_wait))
    std::this_thread::sleep_for(std::chrono::milliseconds(*time));
  return line + '\n';
}

}  // namespace patterns
