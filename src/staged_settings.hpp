// SPDX-License-Identifier: MIT
// A table of settings with their values in force. Reading again happens in two steps, so that nothing has
// changed when something is wrong: begin() a reading and check it, then commit() what was read. Parent only.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "brood/settings.hpp"
#include "configuration.hpp"
#include "settings_source.hpp"

namespace brood {

enum class When { starting, running };  // while running, some settings stay as they are

class StagedSettings {
 public:
  Settings table;  // filled before the first reading

  // A new reading, in place of the one before. `place`: what is blamed for a setting that is missing.
  SettingsReader& begin(std::string place = "") { return reader_.emplace(table, std::move(place)); }
  SettingsReader& reader() { return *reader_; }
  const GivenSettings& given() const { return given_; }  // in force

  // What is in force, with these values of scalable_settings instead, whose names stand behind `prefix` here.
  // Throws ConfigurationError where `service` has none of that name.
  GivenSettings scaled(const ScaledSettings& scaled, const std::string& prefix,
                       const std::string& service) const;

  // Puts in force what was read of the settings that `is_concerned` picks. The kit's own were stored when
  // they were read, a server's are stored here. What only a restart changes stays, and is told.
  void commit(When when, const std::function<bool(const Setting&)>& is_concerned);

 private:
  std::optional<SettingsReader> reader_;
  GivenSettings given_;
};

}  // namespace brood
