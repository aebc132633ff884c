// SPDX-License-Identifier: MIT
// One service and its file. It has a table of settings of its own, so that a mistake concerns only this
// service. It keeps the values in force and those that were read last.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "built_in.hpp"
#include "settings/service_source.hpp"

namespace brood {

// The variables to which the settings of a service are bound. Also used for the shared settings and for the
// command line.
struct ServiceSettings {
  explicit ServiceSettings(std::string name);
  void add_to(Settings& table);

  ServiceConfiguration configuration;
  std::string built_in = "none";
};

class ServiceFile {
 public:
  ServiceFile(std::string name, std::string path);

  const std::string& name() const { return settings_.configuration.name; }
  const std::string& path() const { return path_; }

  // Reads the file again. `own`: values of the command line for this service; they win over the file.
  // `shared`: values of `shared_table`; the file wins over them.
  void read(const GivenSettings& own, const Settings& shared_table, const GivenSettings& shared);
  // Uses only these values, which given() returned.
  void go_by(const GivenSettings& values);
  const GivenSettings& given() const { return table_.given(); }
  // Reports a mistake if a listener of `other` has the same address.
  void refuse_place_of(const ServiceFile& other);
  bool is_right() const { return mistakes_.empty(); }
  WantedService wanted() const;

  std::vector<std::string> commit(When when);
  // As ServiceSource::scaled().
  ServiceConfiguration scaled(const ScaledSettings& scaled);
  const std::optional<ServiceConfiguration>& in_force() const { return in_force_; }
  std::string print() const;

 private:
  void conclude(SettingsReader& reader);  // the common end of read() and go_by()
  void check(SettingsReader& reader);
  void choose_server();

  const std::string path_;
  ServiceSettings settings_;  // as read last
  StagedSettings table_;
  std::string mistakes_;
  std::optional<ServiceConfiguration> in_force_;
  std::shared_ptr<ServerBase> server_;
  std::shared_ptr<BuiltIn> built_in_;  // server_, if it is built in
};

}  // namespace brood
