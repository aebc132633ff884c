// SPDX-License-Identifier: MIT
// Where the services of a parent come from: the program itself has them, or a directory says which there are.
// Parent only.
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
  std::optional<ServiceConfiguration> configuration;  // empty: what is written of it is wrong
  std::string mistakes;                               // then: what is, in lines
  std::shared_ptr<ServerBase> server;
};

// How services are held together. As it stands here: those of one program, which belong together.
struct ServiceRules {
  bool all_or_none = true;             // one that can't be started is a reason to start none
  bool refuses_namesake = false;       // where a server of this name runs, there is no second one
  std::uint32_t reserved_entries = 0;  // on the scoreboard, for services that come later
};

class ServiceSource {
 public:
  ServiceSource() = default;
  ServiceSource(const ServiceSource&) = delete;
  ServiceSource& operator=(const ServiceSource&) = delete;
  virtual ~ServiceSource() = default;

  virtual ServiceRules rules() const { return {}; }

  virtual void take(CommandLine line) = 0;  // before all that follows
  // The next read() goes by these values alone, whatever files and command line say: what given() told.
  virtual void go_by(GivenSettings values) = 0;
  // In force; a service's own as "SERVICE.NAME" where there are several.
  virtual GivenSettings given() const = 0;

  // Reads all of it, anew each time, and checks. Nothing has changed after it. Throws ConfigurationError
  // where what is wrong concerns more than one service.
  virtual std::vector<WantedService> read() = 0;
  // What was read, for the parent itself; and what it goes by.
  virtual const Configuration& staged() const = 0;
  virtual const Configuration& in_force() const = 0;
  // Before commit(): this service can't take what was read, and keeps what it has.
  virtual void keep(const std::string& service) = 0;
  // Puts in force what was read. `only`: that service's alone; "": everything. Returns what of it needs a
  // restart, in lines.
  virtual std::vector<std::string> commit(When when, const std::string& only) = 0;

  // What is in force for `service`, with these values instead: checked as read() does. Throws
  // ConfigurationError with what is wrong with them, and changes nothing.
  virtual ServiceConfiguration scaled(const std::string& service, const ScaledSettings& scaled) = 0;

  virtual std::string print() const = 0;  // --print-config
};

}  // namespace brood
