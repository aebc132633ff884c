// SPDX-License-Identifier: MIT
// A program that children run: its words, as an operator writes them, and what it is given. Starts nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brood {

// What the program is given: a child's slot, the listeners, or one connection at a time.
enum class CommandGets : std::uint8_t { slot, listeners, connection };
inline constexpr std::array<std::string_view, 3> command_gets_names = {"slot", "listeners", "connection"};

struct ServiceCommand {
  std::string written;
  std::vector<std::string> words;  // of `written`: the program's path and its arguments
  std::string gets_written = "slot";

  CommandGets gets() const;
  const std::string& program() const { return words.front(); }
};

// Splits as a shell does, with quotes and backslashes and without any expansion. Throws ConfigurationError
// where that is not possible, or the first word is no absolute path.
std::vector<std::string> parse_command(std::string_view written);

// Whether there is such a file now, and it may be run. Throws ConfigurationError with what failed on what.
void check_executable(const std::string& program);

}  // namespace brood
