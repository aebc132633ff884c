// SPDX-License-Identifier: MIT
// One service as its file says it: a table of settings of its own, so that a mistake in it stays in it; the
// server that it runs; and the values in force, beside those that were read last.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "built_in.hpp"
#include "settings/service_source.hpp"

namespace brood {

// What a file may say of its service, bound to these variables. Also for what all share, and for the command
// line.
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

  // Reads the file again. `own`: what the command line says of this service, which wins; `shared`: what holds
  // where the file says nothing, of `shared_table`.
  void read(const GivenSettings& own, const Settings& shared_table, const GivenSettings& shared);
  // Goes by these values alone: what given() told.
  void go_by(const GivenSettings& values);
  const GivenSettings& given() const { return table_.given(); }
  // Of two services the one at the same place as the other is wrong.
  void refuse_place_of(const ServiceFile& other);
  bool is_right() const { return mistakes_.empty(); }
  WantedService wanted() const;

  std::vector<std::string> commit(When when);
  // As ServiceSource::scaled().
  ServiceConfiguration scaled(const ScaledSettings& scaled);
  const std::optional<ServiceConfiguration>& in_force() const { return in_force_; }
  std::string print() const;

 private:
  void conclude(SettingsReader& reader);  // what read() and go_by() have begun
  void check(SettingsReader& reader);
  void choose_server();

  const std::string path_;
  ServiceSettings settings_;  // as read last
  StagedSettings table_;
  std::string mistakes_;
  std::optional<ServiceConfiguration> in_force_;
  std::shared_ptr<ServerBase> server_;
  std::shared_ptr<BuiltIn> built_in_;  // the same, where it is one
};

}  // namespace brood
