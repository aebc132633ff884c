// SPDX-License-Identifier: MIT
// Reads what was given, on the command line and in files, into a table of settings, and prints the table.
// Says everything that is wrong in one go, with file and line. Where a value stands in several places, the
// command line wins, then the file, then the default; a list is replaced, never joined.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "brood/settings.hpp"

namespace brood {

// Values as written, and where.
struct Given {
  std::vector<std::string> values;
  std::string where;  // "etc/echo.conf:12" (of the last value) or "command line"; "" for the default
};
using GivenSettings = std::map<std::string, Given>;

// What a table knows, for messages.
std::vector<std::string> names_of(const Settings& settings);
std::vector<std::string> services_of(const Settings& settings);
// "unknown WHAT 'NAME'; did you mean …?"
std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known);

class SettingsReader {
 public:
  // `place`: what is blamed for a setting that is missing.
  explicit SettingsReader(const Settings& settings, std::string place = "")
      : settings_(settings), place_(std::move(place)) {}

  // Where a setting is given that only `table` has, which outlives the reading, `advice` is said instead of
  // that it is unknown.
  void stand_elsewhere(const Settings& table, std::string advice);

  // The checks of single values, and the reading, collect what is wrong; finish() throws it.
  bool read_file(const std::string& path);  // false: it can't be read
  void read_text(std::string_view content, const std::string& name);
  void override_with(const GivenSettings& command_line);
  // Values that were in force: files that they name were found then, and are not looked for again.
  void restore(const GivenSettings& values);
  bool restores() const { return restores_; }
  // What all services share is given to each that has the setting and no value of its own.
  void inherit_shared();
  // The same from another table. `whose`: said behind the place, in case that it doesn't fit here.
  void inherit(const GivenSettings& shared, const std::string& whose);

  // What is wrong with a value, or with several together; `setting` is the one whose place is told.
  void blame(const std::string& setting, const std::string& wrong);

  // Parses the value of each setting, given or default; those that are right by themselves are kept for
  // store().
  void check();
  // Stores those values in the variables of the settings that `which` picks.
  void store(const std::function<bool(const Setting&)>& which);
  // Throws ConfigurationError with all that was found.
  void finish() const;
  std::string errors() const;  // the same in lines, "" for none

  const GivenSettings& given() const { return given_; }
  Given* find(const std::string& setting);  // as it was given so far; nullptr: not

 private:
  void error(const std::string& where, const std::string& wrong);
  bool enter_section(std::string_view line, const std::string& where, std::string& section);

  const Settings& settings_;
  const std::string place_;
  const Settings* elsewhere_ = nullptr;
  std::string advice_;
  GivenSettings given_;
  bool restores_ = false;
  std::map<std::string, std::function<void()>> stores_;
  std::vector<std::string> errors_;
};

// As etc/NAME.conf has it: every setting with its help and its value; behind the value stands where it came
// from, if it isn't the default.
std::string print_settings(const Settings& settings, const GivenSettings& given, const std::string& title);

}  // namespace brood
