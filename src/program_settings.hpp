// SPDX-License-Identifier: MIT
// The table of a program's settings, and their values in force. Reading again happens in two steps, so that
// nothing has changed when something is wrong: read() checks and stages, commit() puts in force. Parent only.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "brood/server_base.hpp"
#include "configuration.hpp"
#include "settings_source.hpp"

namespace brood {

struct NamedServer {
  std::string name;  // of the service
  ServerBase* server;
};

class ProgramSettings {
 public:
  ProgramSettings(const std::string& program, std::span<const NamedServer> servers);
  ProgramSettings(const ProgramSettings&) = delete;
  ProgramSettings& operator=(const ProgramSettings&) = delete;

  const Settings& table() const { return table_; }
  const GivenSettings& given() const { return given_; }
  const Configuration& in_force() const { return in_force_; }
  const Configuration& staged() const { return staged_; }

  void read(const CommandLine& line);  // throws ConfigurationError with all that is wrong
  enum class When { starting, running };
  // `only`: puts in force what is that service's alone; "": everything.
  void commit(When when, const std::string& only = "");
  // What is in force for `service`, with these values of scalable_settings instead. Throws ConfigurationError
  // with what is wrong with them, as read() does.
  ServiceConfiguration scaled(const std::string& service, const ScaledSettings& scaled);

 private:
  void add_one(const NamedServer& named);
  void add_several(std::span<const NamedServer> servers);

  Configuration staged_, in_force_;
  ServiceConfiguration shared_;  // binds what several services share; its values are read by none
  Settings table_;
  std::optional<SettingsReader> reader_;
  GivenSettings given_;
};

}  // namespace brood
