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
  // "etc/echo.conf:12" (the last value, or the section that has them) or "command line"; "" for the default
  std::string where;
  std::vector<std::string> wheres = {};  // of each value of a list in a file; empty: all have the same place

  const std::string& where_of(std::size_t value) const {
    return value < wheres.size() ? wheres[value] : where;
  }
  void add_to_place(const std::string& more) {
    where += more;
    for (auto& each : wheres) each += more;
  }
};
using GivenSettings = std::map<std::string, Given>;

// The names of the settings whose values differ, in alphabetical order. What is not given has its default.
std::vector<std::string> differing(const GivenSettings& one, const GivenSettings& other);

struct NameAndValue {
  std::string name, value;
};
// What a value of this setting is among those that are given, and the reverse: see Setting::in_list.
NameAndValue as_kept(const Setting& setting, const std::string& value);
NameAndValue as_in_file(const Settings& settings, const Setting& setting, const std::string& value);

// The given values, or the default.
const std::vector<std::string>& values_of(const Setting& setting, const GivenSettings& given);

std::vector<std::string> names_of(const Settings& settings);
std::vector<std::string> services_of(const Settings& settings);
// "unknown WHAT 'NAME'; did you mean …?"
std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known);

class SettingsReader {
 public:
  // `place`: reported with mistakes about a setting that is not given. `prefix`: the file has it before the
  // names of this table.
  explicit SettingsReader(const Settings& settings, std::string place = "", std::string prefix = "")
      : settings_(settings), place_(std::move(place)), prefix_(std::move(prefix)) {}

  // A setting that is given here but exists only in `table` is reported with `advice` instead of as unknown.
  // `table` must outlive the reader.
  void belongs_elsewhere(const Settings& table, std::string advice);

  // A setting of a file that this table does not have is no mistake then: it may be that of a program that is
  // not known here. passed_over() says so of each, with its place.
  void pass_over_unknown() { passes_over_ = true; }
  const std::vector<std::string>& passed_over() const { return passed_over_; }

  bool read_file(const std::string& path);  // false: the file cannot be read, which is a mistake
  void read_text(std::string_view content, const std::string& name);
  void override_with(const GivenSettings& command_line);
  // Values that were in force before. The programs that they name were found then, and are not looked for
  // again.
  void restore(const GivenSettings& values);
  bool restores() const { return restores_; }
  // Takes the values of `shared` that this table has and that are not given. `whose` is added to their place
  // in messages.
  void inherit(const GivenSettings& shared, const std::string& whose = "");

  // Reports a mistake at the place of `setting`. `wrong` begins with its name. `value`: which one of a list.
  void blame(const std::string& setting, const std::string& wrong, std::size_t value = -1);

  // Parses the value of each setting, given or default. Whatever that throws is a mistake of the setting. (A
  // default of the kit is in its variable already, unless the server has another one.)
  void check();
  // Returns a function that stores the valid values of the kit's settings, or of the server's own, in their
  // variables.
  std::function<void()> stores(bool kits) const;
  // Throws ConfigurationError with all mistakes, if there are any.
  void finish() const;
  std::string errors() const;  // one on a line; "" for none

  const GivenSettings& given() const { return given_; }
  Given* find(const std::string& setting);  // nullptr: not given
  bool knows(std::string_view setting) const { return settings_.find(setting) != nullptr; }

 private:
  void error(const std::string& where, const std::string& wrong);
  void check(const Setting& setting, const std::vector<std::string>& values);
  // Where the lines of a file belong.
  struct Section {
    std::string prefix = {};        // "SERVICE."
    const Setting* list = nullptr;  // they are its values (Setting::has_section)
    std::string where = {};         // of the section, if it has them
    bool skipped = false;           // it is not known
  };
  Section enter_section(std::string_view line, const std::string& where);
  void read_line(std::string_view line, const std::string& where, const Section& section);
  void add(const Setting& setting, const std::string& where, const auto& read);

  const Settings& settings_;
  const std::string place_, prefix_;
  const Settings* elsewhere_ = nullptr;
  std::string advice_;
  GivenSettings given_;
  bool restores_ = false;
  bool passes_over_ = false;
  std::vector<std::string> passed_over_;
  std::map<std::string, std::function<void()>> stores_;
  std::vector<std::string> errors_;
};

}  // namespace brood
