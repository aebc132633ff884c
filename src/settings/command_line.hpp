// SPDX-License-Identifier: MIT
// The command line of a server program, which has its settings and some options. settings/help.hpp prints the
// help.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "settings/settings_reader.hpp"

namespace brood {

struct CommandLine {
  GivenSettings settings;
  std::map<std::string, std::string> options;  // those of this program that were given, with their values
  std::string config;                          // path of the file; "": none
  bool help = false;
  bool version = false;
  bool print_config = false;
  bool test_config = false;
};
// An option, which is no setting.
struct ProgramOption {
  std::string name, value, help;  // value: its name in the help; "": the option has no value
  std::string letter = {};        // "-c" for "--config"; "": it has none
};
using ProgramOptions = std::vector<ProgramOption>;
const ProgramOptions& general_options();  // of every program

// `options`: those that only this program has.
CommandLine parse_command_line(const Settings& settings, std::span<const char* const> arguments,
                               const ProgramOptions& options = {});  // throws ConfigurationError

}  // namespace brood
