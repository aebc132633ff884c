// SPDX-License-Identifier: MIT
// Where a server has its scoreboard, and whether another one of its name runs. Parent only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "settings/configuration.hpp"

namespace brood {

// "" where it is to be anonymous.
std::string scoreboard_path(const Configuration& configuration);
// Makes the directory (its parents must be there). Returns the path; "" where it has to be anonymous, and
// says why.
std::string prepare_scoreboard(const Configuration& configuration);

// The server that has its scoreboard there and runs, other than this process; empty: there is none. Throws
// Error where there is a scoreboard that can't be read.
std::optional<pid_t> running_server(const std::string& scoreboard);
// Throws ConfigurationError where one of this name runs.
void refuse_namesake(const Configuration& configuration);

}  // namespace brood
