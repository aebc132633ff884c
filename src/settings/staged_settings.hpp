// SPDX-License-Identifier: MIT
// A table of settings with their values in force. Reading again happens in two steps, so that nothing has
// changed when something is wrong: begin() a reading and check it, then commit() what was read. Parent only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "brood/settings.hpp"
#include "settings/settings_reader.hpp"

namespace brood {

enum class When { starting, running };  // while running, some settings stay as they are

class StagedSettings {
 public:
  Settings table;  // filled before the first reading

  // A new reading, in place of the one before. `place`: what is blamed for a setting that is missing.
  SettingsReader& begin(std::string place = "") { return reader_.emplace(table, std::move(place)); }
  // A reading of what is in force, with these values in the place of some of it.
  SettingsReader& begin_with(const GivenSettings& changes);
  SettingsReader& reader() { return *reader_; }
  const GivenSettings& given() const { return given_; }  // in force

  // Puts in force what was read of the settings that `is_concerned` picks. The kit's own were stored when
  // they were read, a server's are stored here. What only a restart changes stays: returns what is to be told
  // of that, in lines.
  std::vector<std::string> commit(When when, const std::function<bool(const Setting&)>& is_concerned);

 private:
  std::optional<SettingsReader> reader_;
  GivenSettings given_;
};

}  // namespace brood
