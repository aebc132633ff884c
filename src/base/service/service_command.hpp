// SPDX-License-Identifier: MIT
// The setting "command": the program that the children of a service run. Starts nothing.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/service/own_settings.hpp"

namespace brood {

// What the program gets: the slot of a child, the listeners, the only listener as standard input and output,
// or one connection at a time.
enum class CommandGets : std::uint8_t { slot, listeners, listener, connection };
inline constexpr std::array<std::string_view, 4> command_gets_names = {"slot", "listeners", "listener",
                                                                       "connection"};

// When a program that gets the listeners is ready: when it is executed, or when it says so.
enum class ReadyOn : std::uint8_t { exec, notify };

struct ServiceCommand {
  std::string written;
  // Parsed `written`: the path of the program and its arguments, with those of `own`.
  std::vector<std::string> words;
  std::string gets_written = "slot";
  int stop_signal = SIGTERM;                  // if it takes listeners
  ReadyOn ready = ReadyOn::exec;              // if it takes listeners
  std::vector<unsigned> success_codes = {0};  // if it gets a connection
  OwnSettings own;

  CommandGets gets() const;
  // It accepts itself, and reports nothing.
  bool takes_listeners() const { return gets() == CommandGets::listeners || gets() == CommandGets::listener; }
  const std::string& program() const { return words.front(); }
};

// Splits at blanks as a shell does, with quotes and backslashes but without expansion. Throws
// ConfigurationError if it cannot.
std::vector<std::string> split_words(std::string_view written);
// The same for a command. Throws ConfigurationError also if the first word is not an absolute path.
std::vector<std::string> parse_command(std::string_view written);

// Throws ConfigurationError if this file does not exist now or cannot be executed.
void check_executable(const std::string& program);

}  // namespace brood
