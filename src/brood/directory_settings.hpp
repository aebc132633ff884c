// SPDX-License-Identifier: MIT
// The services of a directory, one in each file, and the settings that they share. Parent only.
//
// The order of precedence for a setting of a service: the command line for this service, its file, the
// command line for all services, the shared files, the default.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config_directory.hpp"
#include "service_file.hpp"
#include "settings/command_line.hpp"
#include "settings/service_source.hpp"

namespace brood {

// The settings in defaults/: those of a service and those of the parent.
void add_shared_settings(Settings& table, ServiceSettings& services, Configuration& parent, bool& strict);

class DirectorySettings final : public ServiceSource {
 public:
  explicit DirectorySettings(ConfigDirectory directory);

  ServiceRules rules() const override;
  void take(CommandLine line) override;
  void go_by(GivenSettings values) override { go_by_ = std::move(values); }
  GivenSettings given() const override;
  std::vector<WantedService> read() override;
  const Configuration& staged() const override { return staged_; }
  const Configuration& in_force() const override { return in_force_; }
  void keep(const std::string& service) override;
  std::vector<std::string> commit(When when, const std::string& only) override;
  ServiceConfiguration scaled(const std::string& service, const ScaledSettings& scaled) override;
  std::string print() const override;

  // Reads only the shared settings, which have those of the parent.
  const Configuration& read_shared();

 private:
  void read_shared(const std::vector<std::string>& files, const GivenSettings& values);
  std::vector<WantedService> read_values(const GivenSettings& values);
  std::vector<WantedService> read_each(const std::vector<ServicePath>& services,
                                       const std::function<void(ServiceFile&)>& read);
  void list_in_force();

  const ConfigDirectory directory_;
  GivenSettings for_all_;                         // from the command line
  std::map<std::string, GivenSettings> for_one_;  // the same, for one service
  std::optional<GivenSettings> go_by_;
  std::string config_;  // a file instead of defaults/; "": none
  Configuration staged_, in_force_;
  bool strict_ = false;
  ServiceSettings shared_;  // its values are not used: services inherit those that were given
  StagedSettings shared_table_;
  std::map<std::string, std::unique_ptr<ServiceFile>> files_;
  std::set<std::string> wanted_, kept_;  // at the last reading
  unsigned readings_ = 0;
};

}  // namespace brood
