// SPDX-License-Identifier: MIT
// The path of a server's scoreboard, and whether another server of its name runs. Parent only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "settings/configuration.hpp"

namespace brood {

// "" if the scoreboard is to be anonymous.
std::string scoreboard_path(const Configuration& configuration);
// Makes the directory (its parents must exist). Returns the path, or "" if the scoreboard has to be
// anonymous; then it logs why.
std::string prepare_scoreboard(const Configuration& configuration);

// The running server whose scoreboard this is, other than this process; empty: there is none. Throws Error if
// the scoreboard can't be read.
std::optional<pid_t> running_server(const std::string& scoreboard);
// Throws ConfigurationError if a server of this name runs.
void refuse_second_server(const Configuration& configuration);

}  // namespace brood
