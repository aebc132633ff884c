// SPDX-License-Identifier: MIT
// The services that a program itself has, one or several, with the table of their settings, the file, the
// environment and the command line. Parent only.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "settings/command_line.hpp"
#include "settings/service_source.hpp"

namespace brood {

struct NamedServer {
  std::string name;  // of the service
  ServerBase* server;
};

class ProgramSettings final : public ServiceSource {
 public:
  ProgramSettings(const std::string& program, std::span<const NamedServer> servers);

  // All settings, as the file and the command line have them.
  const Settings& table() const { return table_; }

  void take(CommandLine line) override { line_ = std::move(line); }
  ServiceRules rules(const Configuration& /*parent*/) const override { return {}; }
  NamedPaths paths(const WantedSettings& wanted) const override;
  WantedSettings read(const InForce& in_force) const override;
  std::string print(const WantedSettings& settings) const override;
  const SettingsEnvironment& environment() const override { return environment_; }

  // Reads everything, and puts only the settings of the servers themselves in force. Those of the kit are not
  // checked together. Throws ConfigurationError.
  void apply_own() const;

 private:
  // A server, and the defaults and the table of its service's settings.
  struct Served {
    std::string name;  // "": that of the server
    ServerBase* server;
    ServiceConfiguration defaults;
    Settings table;
  };

  WantedParent read_parent(const GivenSettings& given) const override;
  WantedService read_service(const std::string& name, const ServiceLayers& layers) const override;
  void check_own(WantedService& wanted, const GivenSettings& in_force) const override;
  const Settings& parent_table() const override { return parent_table_; }
  const Settings& service_table(const std::string& service) const override { return find(service).table; }

  bool several() const { return served_.size() > 1; }
  const Served& find(const std::string& service) const;
  SettingsReader read_all() const;
  GivenSettings given_to(const Served& served, const GivenSettings& all) const;
  // A table like that of `served`, whose kit settings are bound to `to`.
  static Settings bind(const Served& served, ServiceConfiguration& to);

  const std::string program_;
  Configuration parent_;         // the defaults
  ServiceConfiguration shared_;  // the same, for what services share
  std::vector<Served> served_;
  Settings table_, parent_table_;
  SettingsEnvironment environment_;
  CommandLine line_;
};

}  // namespace brood
