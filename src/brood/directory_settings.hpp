// SPDX-License-Identifier: MIT
// The services of a directory, one in each file, and the settings that they share. Parent only.
//
// The order of precedence for a setting of a service: the command line for this service, the environment for
// it, its file, the command line for all services, the environment for all, the shared files, the default.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config_directory.hpp"
#include "service_file.hpp"
#include "settings/command_line.hpp"
#include "settings/service_source.hpp"

namespace brood {

// The settings in defaults/: those of a service and those of the parent.
void add_shared_settings(Settings& table, ServiceSettings& services, Configuration& parent);

class DirectorySettings final : public ServiceSource {
 public:
  explicit DirectorySettings(ConfigDirectory directory);

  void take(CommandLine line) override;
  ServiceRules rules(const Configuration& parent) const override;
  NamedPaths paths(const WantedSettings& /*wanted*/) const override {
    return {{"config-directory", directory_.path()}, {"config", line_.config}};
  }
  WantedSettings read(const InForce& in_force) const override;
  std::string print(const WantedSettings& settings) const override;
  const SettingsEnvironment& environment() const override { return environment_; }

  // Only the settings of the parent. Throws ConfigurationError.
  Configuration read_shared() const;

 private:
  WantedParent read_parent(const GivenSettings& given) const override;
  WantedService read_service(const std::string& name, const ServiceLayers& layers) const override;
  void check_own(WantedService& /*wanted*/, const GivenSettings& /*in_force*/) const override {}
  const Settings& parent_table() const override { return shared_table_; }
  const Settings& service_table(const std::string& /*service*/) const override { return service_table_; }

  std::string path_of(const std::string& service) const {
    return directory_.path() + '/' + service + ".conf";
  }
  WantedParent read_parent_of(const InForce& in_force) const;
  WantedService read_file(const ServicePath& file, const GivenSettings& shared,
                          const InForce& in_force) const;

  const ConfigDirectory directory_;
  CommandLine line_;
  std::map<std::string, GivenSettings> for_one_;  // from the command line, for one service
  // Tables for names and defaults: nothing is stored in these variables.
  Configuration parent_;
  ServiceSettings shared_, service_;
  Settings shared_table_, service_table_;
  SettingsEnvironment environment_;
};

}  // namespace brood
