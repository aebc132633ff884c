// SPDX-License-Identifier: MIT
// A table of settings with the values in force. They are changed in two steps, so that a mistake changes
// nothing: begin() a reading and check it, then commit() it. Parent only.
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

  // Begins a new reading. `place`: reported with mistakes about a setting that is not given.
  SettingsReader& begin(std::string place = "") { return reader_.emplace(table, std::move(place)); }
  // Begins a reading of the values in force, with these changes.
  SettingsReader& begin_with(const GivenSettings& changes);
  SettingsReader& reader() { return *reader_; }
  const GivenSettings& given() const { return given_; }  // in force

  // Puts the values in force that were read for the settings that `is_concerned` selects. (The kit's own
  // settings were stored when they were read, those of a server are stored here.) A running server keeps the
  // values of settings that need a restart; returns a message for each that has changed.
  std::vector<std::string> commit(When when, const std::function<bool(const Setting&)>& is_concerned);

 private:
  std::optional<SettingsReader> reader_;
  GivenSettings given_;
};

}  // namespace brood
