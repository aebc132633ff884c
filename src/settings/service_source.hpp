// SPDX-License-Identifier: MIT
// Where the services of a parent come from: the program has them, or a directory has a file for each. Parent
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "settings/command_line.hpp"
#include "settings/configuration.hpp"
#include "settings/scaling.hpp"
#include "settings/staged_settings.hpp"

namespace brood {

class ServerBase;

struct WantedService {
  std::string name;
  std::optional<ServiceConfiguration> configuration;  // empty: there are mistakes
  std::string mistakes;                               // one on a line
  std::shared_ptr<ServerBase> server;
};

// How the services of a parent depend on each other. The defaults are for the services of one program.
struct ServiceRules {
  bool all_or_none = true;             // if one service cannot be started, none is
  bool refuses_namesake = false;       // does not start if a server of this name runs
  std::uint32_t reserved_entries = 0;  // on the scoreboard, for services that are added later
};

class ServiceSource {
 public:
  ServiceSource() = default;
  ServiceSource(const ServiceSource&) = delete;
  ServiceSource& operator=(const ServiceSource&) = delete;
  virtual ~ServiceSource() = default;

  virtual ServiceRules rules() const { return {}; }

  virtual void take(CommandLine line) = 0;  // is called first
  // The next read() uses only these values, which given() returned, and neither files nor the command line.
  virtual void go_by(GivenSettings values) = 0;
  // The values in force. If there are several services, the names of their settings are "SERVICE.NAME".
  virtual GivenSettings given() const = 0;

  // Reads everything again and checks it. Changes nothing that is in force. Throws ConfigurationError if a
  // mistake concerns more than one service.
  virtual std::vector<WantedService> read() = 0;
  // The settings of the parent: as read last, and in force.
  virtual const Configuration& staged() const = 0;
  virtual const Configuration& in_force() const = 0;
  // Before commit(): this service keeps its values, because it cannot apply those that were read.
  virtual void keep(const std::string& service) = 0;
  // Puts in force what was read, for the service `only`, or for all if it is "". Returns a message for each
  // change that needs a restart.
  virtual std::vector<std::string> commit(When when, const std::string& only) = 0;

  // The configuration of `service` with these changes, checked as by read(). Changes nothing. Throws
  // ConfigurationError.
  virtual ServiceConfiguration scaled(const std::string& service, const ScaledSettings& scaled) = 0;

  virtual std::string print() const = 0;  // --print-config
};

}  // namespace brood
