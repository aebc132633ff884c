// SPDX-License-Identifier: MIT
// The command line of brood: its own options, settings for all services, and settings for each service that
// is in its directory now.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config_directory.hpp"
#include "service_file.hpp"
#include "settings/command_line.hpp"

namespace brood {

inline constexpr const char* default_directory = "/etc/brood";

class ServerOptions {
 public:
  explicit ServerOptions(const std::vector<ServicePath>& services);
  ServerOptions(const ServerOptions&) = delete;
  ServerOptions& operator=(const ServerOptions&) = delete;

  CommandLine parse(std::span<const char* const> arguments) const;  // throws ConfigurationError
  std::string help() const;

 private:
  // The settings are bound to these variables, but their values are not used.
  Configuration parent_;
  ServiceSettings services_;
  Settings table_;
};

// The value of --config-directory: it must be known before the services, and so the table, are. The last one
// wins; parse() reports that it is given twice.
std::string directory_named_in(std::span<const char* const> arguments);

}  // namespace brood
