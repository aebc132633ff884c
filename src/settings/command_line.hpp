// SPDX-License-Identifier: MIT
// The command line of a server program: any of its settings, and what it is to do; and the help that tells
// it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "settings/settings_reader.hpp"

namespace brood {

// The command line, as it was given: settings, and what to do with them.
struct CommandLine {
  GivenSettings settings;
  std::map<std::string, std::string> options;  // of the program's own
  std::string config;                          // the file's path, "" for none
  bool help = false;
  bool print_config = false;
  bool test_config = false;
};
// What a program understands on its command line beside settings and the options that all have.
struct ProgramOption {
  std::string name, value, help;  // value: what it is called in the help; "": there is none
};
using ProgramOptions = std::vector<ProgramOption>;

CommandLine parse_command_line(const Settings& settings, std::span<const char* const> arguments,
                               const ProgramOptions& options = {});  // throws ConfigurationError

// Where a service's own settings stand, for people.
inline constexpr const char* in_sections = "in its section [SERVICE] of FILE";
std::string print_help(const Settings& settings, const std::string& program,
                       const ProgramOptions& options = {}, const std::string& where = in_sections);

}  // namespace brood
