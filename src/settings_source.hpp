// SPDX-License-Identifier: MIT
// Reads the command line and the file into a table of settings, and prints the table. Says everything that is
// wrong in one go, with file and line. Where a value stands in several places, the command line wins, then
// the file, then the default; a list is replaced, never joined.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "brood/settings.hpp"

namespace brood {

// Values as written, and where.
struct Given {
  std::vector<std::string> values;
  std::string where;  // "etc/echo.conf:12" (of the last value) or "command line"; "" for the default
};
using GivenSettings = std::map<std::string, Given>;

// The command line, as it was given: settings, and what to do with them.
struct CommandLine {
  GivenSettings settings;
  std::string config;  // the file's path, "" for none
  bool help = false;
  bool print_config = false;
  bool test_config = false;
};
CommandLine parse_command_line(const Settings& settings,
                               std::span<const char* const> arguments);  // throws ConfigurationError

class SettingsReader {
 public:
  explicit SettingsReader(const Settings& settings) : settings_(settings) {}

  // The checks of single values, and the reading, collect what is wrong; finish() throws it.
  void read_file(const std::string& path);
  void read_text(std::string_view content, const std::string& name);
  void override_with(const GivenSettings& command_line);
  // What all services share is given to each that has the setting and no value of its own.
  void inherit_shared();

  // What is wrong with a value, or with several together; `setting` is the one whose place is told.
  void blame(const std::string& setting, const std::string& wrong);

  // Parses the value of each setting, given or default; those that are right by themselves are kept for
  // store().
  void check();
  // Stores those values in the variables of the settings that `which` picks.
  void store(const std::function<bool(const Setting&)>& which);
  // Throws ConfigurationError with all that was found.
  void finish() const;

  const GivenSettings& given() const { return given_; }

 private:
  void error(const std::string& where, const std::string& wrong);
  bool enter_section(std::string_view line, const std::string& where, std::string& section);

  const Settings& settings_;
  GivenSettings given_;
  std::map<std::string, std::function<void()>> stores_;
  std::vector<std::string> errors_;
};

// As etc/NAME.conf has it: every setting with its help and its value; behind the value stands where it came
// from, if it isn't the default.
std::string print_settings(const Settings& settings, const GivenSettings& given, const std::string& title);
std::string print_help(const Settings& settings, const std::string& program);

}  // namespace brood
