// SPDX-License-Identifier: MIT
// What brood understands on its command line: options of its own, settings for all, and settings for each of
// the services that its directory has now.
#pragma once

#include <deque>
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
  // The values are bound to these and read by none.
  Configuration parent_;
  bool strict_ = false;
  std::deque<ServiceSettings> each_;
  Settings table_;
};

// What has to be known before the services are, and with them the table. The last one counts; that it is
// given twice is told later.
std::string directory_named_in(std::span<const char* const> arguments);

}  // namespace brood
