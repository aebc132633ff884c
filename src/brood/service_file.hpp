// SPDX-License-Identifier: MIT
// The settings that a service of a directory has, and how its file gives them.
#pragma once

#include <string>

#include "config_directory.hpp"
#include "settings/service_source.hpp"

namespace brood {

// The variables to which the settings of a service are bound, with their defaults. Also used for the shared
// settings and for the command line.
struct ServiceSettings {
  explicit ServiceSettings(std::string name);
  void add_to(Settings& table);
  // With the settings that a file of defaults has for all services and for the parent alike.
  void add_all_to(Settings& table);

  ServiceConfiguration configuration;
  std::string built_in = "none";
};

struct ReadFile {
  GivenSettings given;
  std::string mistakes;  // lines that are no settings of a service
};
// `own`: values of environment and command line for this service; they win over the file. `shared`: values of
// `shared_table`; the file wins over them. Throws ConfigurationError if the file cannot be read, or has no
// valid name.
ReadFile read_service_file(const ServicePath& file, const GivenSettings& own, const Settings& shared_table,
                           const GivenSettings& shared);

}  // namespace brood
