// SPDX-License-Identifier: MIT
// The option --single: a service in this process alone, for a debugger.
#pragma once

#include "settings/service_source.hpp"

namespace brood {

// Opens the listeners, calls the hooks that a parent and a child call, and serves as a child does until
// SIGINT or SIGTERM. No fork(), no scoreboard that others see, and no limits that a parent watches over.
// Returns the exit code. Throws ConfigurationError if there is not one service, or if its children are
// programs.
int serve_single(std::vector<WantedService> services);

}  // namespace brood
