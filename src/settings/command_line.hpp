// SPDX-License-Identifier: MIT
// The command line of a server program, which has its settings and some options, and the text of --help.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "settings/settings_reader.hpp"

namespace brood {

struct CommandLine {
  GivenSettings settings;
  std::map<std::string, std::string> options;  // ProgramOptions that were given, with their values
  std::string config;                          // path of the file; "": none
  bool help = false;
  bool print_config = false;
  bool test_config = false;
};
// An option that only some programs have.
struct ProgramOption {
  std::string name, value, help;  // value: its name in the help; "": the option has no value
};
using ProgramOptions = std::vector<ProgramOption>;

CommandLine parse_command_line(const Settings& settings, std::span<const char* const> arguments,
                               const ProgramOptions& options = {});  // throws ConfigurationError

// Where settings of one service are written, for --help.
inline constexpr const char* in_sections = "in its section [SERVICE] of FILE";
std::string print_help(const Settings& settings, const std::string& program,
                       const ProgramOptions& options = {}, const std::string& where = in_sections);

}  // namespace brood
