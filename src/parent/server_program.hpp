// SPDX-License-Identifier: MIT
// What the parent needs of the program that it runs in: settings, log, pid file and background start. It is
// implemented in src/program/running_program.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "settings/service_source.hpp"
#include "upgrade/executable.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

class ServerProgram {
 public:
  virtual const std::string& name() const = 0;
  virtual const std::string& scoreboard_path() const = 0;  // "": the scoreboard is anonymous
  virtual ServiceRules rules() const = 0;
  virtual const Executable& executable() const = 0;  // the program of this process

  // A reload has two steps. The first reads and checks the settings, and returns the services that are
  // wanted. It throws Error, and then nothing has changed. The second comes when the services have their new
  // configurations: it applies the settings of the program itself. The services in `refused` keep their
  // former settings. `only`: the service that the reload is for; "": all. Returns the settings that need a
  // restart, one a line.
  virtual std::vector<WantedService> read_settings() = 0;
  virtual std::vector<std::string> apply_settings(const std::string& only,
                                                  const std::vector<std::string>& refused) = 0;
  // The configuration of a service with some values changed. Throws ConfigurationError, and changes nothing.
  virtual ServiceConfiguration scaled(const std::string& service, const ScaledSettings& changes) = 0;

  virtual void close_in_child() = 0;  // in a fresh child: closes what belongs to the program alone
  // A child has failed before the server was ready. Called once at most.
  virtual void report_not_ready() = 0;
  // A client finds a child in every service. `addresses`: those of all listeners, for people.
  virtual void report_ready(std::string_view addresses) = 0;
  // Adds what belongs to the program to what is handed to the next program of this process.
  virtual void hand_over(HandedOver& to) const = 0;

 protected:
  ~ServerProgram() = default;
};

}  // namespace brood
