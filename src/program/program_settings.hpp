// SPDX-License-Identifier: MIT
// The services that a program itself has, one or several, with the table of their settings, the file and the
// command line. Parent only.
#pragma once

#include <optional>
#include <set>
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

  const Settings& table() const { return settings_.table; }
  // Only the server's own settings count: the others are not checked together.
  void check_only_own() { only_own_ = true; }

  void take(CommandLine line) override { line_ = std::move(line); }
  void go_by(GivenSettings values) override { go_by_ = std::move(values); }
  GivenSettings given() const override { return settings_.given(); }
  std::vector<WantedService> read() override;
  const Configuration& staged() const override { return staged_; }
  const Configuration& in_force() const override { return in_force_; }
  void keep(const std::string& service) override { kept_.insert(service); }
  std::vector<std::string> commit(When when, const std::string& only) override;
  ServiceConfiguration scaled(const std::string& service, const ScaledSettings& scaled) override;
  std::string print() const override;

 private:
  void add_one(const NamedServer& named);
  void add_several(std::span<const NamedServer> servers);

  const std::string program_;
  const std::vector<NamedServer> servers_;
  Configuration staged_, in_force_;
  ServiceConfiguration shared_;  // the table needs a place for shared settings; nobody reads its values
  StagedSettings settings_;
  CommandLine line_;
  std::optional<GivenSettings> go_by_;
  bool only_own_ = false;
  std::set<std::string> kept_;
};

}  // namespace brood
