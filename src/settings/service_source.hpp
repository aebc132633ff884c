// SPDX-License-Identifier: MIT
// The one path from files, environment and command line to what a parent and its services go by: for the
// start, a reload, a check, a scale, the start of one service again, an upgrade and an upgrade that was
// refused. A reading changes nothing: it yields new configurations, or mistakes. Who accepts a configuration
// puts it in force, and what is in force is an argument of the next reading. Parent only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "settings/command_line.hpp"
#include "settings/configuration.hpp"
#include "settings/settings_environment.hpp"

namespace brood {

class ServerBase;

// What the values of a service come from.
struct ServiceLayers {
  GivenSettings given;
  ScaledSettings scaled = {};
  // The programs that they name were found when they came into force, and are not looked for again.
  bool were_in_force = false;
};

struct WantedService {
  std::string name;
  std::string prefix;  // "SERVICE." if the file has it before the names of its settings
  std::shared_ptr<const ServiceConfiguration> configuration;  // nullptr: there are mistakes
  std::string mistakes;                                       // one on a line
  std::vector<int> inherited{};  // the descriptors that its `listen` names, also if there are mistakes
  std::shared_ptr<ServerBase> server;
  std::function<void()> store;              // puts the server's own settings in force
  std::vector<std::string> need_restart{};  // a message for each change that waits for one
};

struct WantedSettings {
  std::shared_ptr<const Configuration> parent;
  std::vector<std::string> need_restart;  // of the parent's settings
  std::vector<WantedService> services;
  // nullptr: there is none of that name.
  WantedService* find(std::string_view service);
  std::string mistakes() const;  // of all services, one on a line
};

struct InForce {
  std::shared_ptr<const Configuration> parent;  // nullptr: nothing is in force yet
  std::map<std::string, std::shared_ptr<const ServiceConfiguration>> services;
  std::string restarted;   // the service that starts again: it takes what needs that, too
  bool rehearsed = false;  // by another process, a moment ago: no program checks its settings again
};

// How the services of a parent depend on each other. The defaults are for the services of one program.
struct ServiceRules {
  bool all_or_none = true;   // if one service cannot be started, none is
  bool come_and_go = false;  // a reload may add and remove services
};

// The program has the services, or a directory has a file for each.
class ServiceSource {
 public:
  ServiceSource() = default;
  ServiceSource(const ServiceSource&) = delete;
  ServiceSource& operator=(const ServiceSource&) = delete;
  virtual ~ServiceSource() = default;

  virtual void take(CommandLine line) = 0;  // is called first
  virtual ServiceRules rules(const Configuration& parent) const = 0;
  // The paths of what read() reads, and those that a server's own settings give: each with the option or
  // setting that names it; "": none.
  using NamedPaths = std::vector<std::pair<std::string, std::string>>;
  virtual NamedPaths paths(const WantedSettings& wanted) const = 0;

  // Reads files, environment and command line. Throws ConfigurationError if a mistake concerns more than one
  // service.
  virtual WantedSettings read(const InForce& in_force) const = 0;
  // Reads only these values, which were in force: those of the parent, and of each service by name.
  WantedSettings restore(const GivenSettings& parent,
                         const std::vector<std::pair<std::string, ServiceLayers>>& services) const;
  // The service with these changes of what is in force. Throws ConfigurationError.
  WantedService scale(const ServiceConfiguration& in_force, const ScaledSettings& scaled) const;

  virtual std::string print(const WantedSettings& settings) const = 0;  // --print-config
  // read() reads it, too.
  virtual const SettingsEnvironment& environment() const = 0;

 protected:
  struct WantedParent {
    std::shared_ptr<Configuration> configuration;
    std::string mistakes;
    std::vector<std::string> need_restart{};
  };
  virtual WantedParent read_parent(const GivenSettings& given) const = 0;
  virtual WantedService read_service(const std::string& name, const ServiceLayers& layers) const = 0;
  // Lets the server check its own settings together, beside those in force: a mistake is added to `wanted`.
  virtual void check_own(WantedService& wanted, const GivenSettings& in_force) const = 0;
  // Their names, defaults, and what applies a change.
  virtual const Settings& parent_table() const = 0;
  virtual const Settings& service_table(const std::string& service) const = 0;

  // The same with the values in force of settings that need a restart.
  WantedParent read_parent(const GivenSettings& given, const InForce& in_force) const;
  WantedService read_service(const std::string& name, const GivenSettings& given,
                             const InForce& in_force) const;

  // `reader` and `table` are of this reading alone, and bound to `to`, which has the defaults.
  static WantedParent read_into(Configuration& to, const Settings& table, const GivenSettings& given,
                                const std::string& place = "");
  // In two steps: the child model may depend on what was read.
  static void read_into(SettingsReader& reader, const ServiceLayers& layers);
  static void check_and_take(WantedService& wanted, ServiceConfiguration read, const ServiceLayers& layers,
                             SettingsReader& reader);

  // Throws ConfigurationError if there are mistakes in what was read of all, or of the parent.
  static WantedSettings conclude(const std::string& mistakes, WantedParent parent,
                                 std::vector<WantedService> services);
};

}  // namespace brood
