// SPDX-License-Identifier: MIT
// Reads values from files and from the command line into a table of settings. Collects all mistakes, with
// file and line. The command line wins over the file, the file over the default. A list replaces a list; they
// are never joined.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "brood/settings.hpp"

namespace brood {

// The values of a setting as written, and their place.
struct Given {
  std::vector<std::string> values;
  std::string where;  // "etc/echo.conf:12" (the last value) or "command line"; "" for the default
};
using GivenSettings = std::map<std::string, Given>;

std::vector<std::string> names_of(const Settings& settings);
std::vector<std::string> services_of(const Settings& settings);
// "unknown WHAT 'NAME'; did you mean …?"
std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known);

class SettingsReader {
 public:
  // `place`: reported with mistakes about a setting that is not given.
  explicit SettingsReader(const Settings& settings, std::string place = "")
      : settings_(settings), place_(std::move(place)) {}

  // A setting that is given here but exists only in `table` is reported with `advice` instead of as unknown.
  // `table` must outlive the reader.
  void belongs_elsewhere(const Settings& table, std::string advice);

  bool read_file(const std::string& path);  // false: the file cannot be read, which is a mistake
  void read_text(std::string_view content, const std::string& name);
  void override_with(const GivenSettings& command_line);
  // Values that were in force before. The programs that they name were found then, and are not looked for
  // again.
  void restore(const GivenSettings& values);
  bool restores() const { return restores_; }
  // Gives each service the shared values of settings that it has not set itself.
  void inherit_shared();
  // The same with the shared values of another table. `whose` is added to their place in messages.
  void inherit(const GivenSettings& shared, const std::string& whose);

  // Reports a mistake at the place of `setting`.
  void blame(const std::string& setting, const std::string& wrong);

  // Parses the value of each setting, given or default, and keeps the valid ones for store().
  void check();
  // Stores the valid values in the variables of the settings that `which` selects.
  void store(const std::function<bool(const Setting&)>& which);
  // Throws ConfigurationError with all mistakes, if there are any.
  void finish() const;
  std::string errors() const;  // one on a line; "" for none

  const GivenSettings& given() const { return given_; }
  Given* find(const std::string& setting);  // nullptr: not given

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

}  // namespace brood
