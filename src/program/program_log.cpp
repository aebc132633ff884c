// SPDX-License-Identifier: MIT
#include "program/program_log.hpp"

#include <algorithm>
#include <cstdio>

#include "base/identity.hpp"
#include "base/text.hpp"
#include "brood/log.hpp"

namespace brood {

LogTarget log_target(const Configuration& configuration) {
  const auto& services = configuration.services;
  // If services have different users, the file stays the parent's.
  const bool one_user = !services.empty() && std::ranges::all_of(services, [&](const auto& service) {
    return service.user == services.front().user;
  });
  return {.name = configuration.name,
          .to = configuration.log,
          .level = level_of(configuration.log_level),
          .owner = one_user ? find_identity(services.front().user, "").user : no_user};
}

void print_errors(std::string_view lines) {
  for (const auto line : split(lines, '\n')) std::fprintf(stderr, "%s\n", escape(line).c_str());
}

void report_errors(std::string_view lines, const Configuration& configuration) {
  if (configuration.log != "stderr") print_errors(lines);
  for (const auto line : split(lines, '\n')) log_error(line);
}

}  // namespace brood
