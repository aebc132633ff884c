// SPDX-License-Identifier: MIT
// The path of a server's scoreboard, and whether another server of its name runs. Parent only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "scoreboard/scoreboard_place.hpp"
#include "settings/configuration.hpp"

namespace brood {

// NAME.scoreboard in the runtime directory, or NAME with another ending. "" if the scoreboard is to be
// anonymous.
std::string scoreboard_path(const Configuration& configuration, std::string_view ending = ".scoreboard");
// Makes the runtime directory (its parents must exist). Returns why it can't be used; "": it can.
std::string prepare_runtime_directory(const Configuration& configuration);
// The same, but makes nothing.
std::string fault_of_runtime_directory(const Configuration& configuration);
// Makes what belongs in it. The path is "" if the
// scoreboards have to be anonymous; then it logs why. `many`: a file for each service.
ScoreboardPlace prepare_scoreboards(const Configuration& configuration, bool many);

struct RunningServer {
  pid_t pid = 0;  // 0: it is not known here
  bool stopping = false;
};
// The server of this name, other than this process; empty: there is none. A server that stops still runs,
// unless another one has taken its place. Throws Error if its scoreboard can't be read.
std::optional<RunningServer> running_server(const Configuration& configuration);
// Throws ConfigurationError if another server of this name runs, and is not stopping. Without the claim of a
// name (NameClaim) it is no more than a look.
void refuse_second_server(const Configuration& configuration);
// Throws ConfigurationError. `path`: by which it is known.
[[noreturn]] void throw_already_runs(const Configuration& configuration, const std::string& path,
                                     pid_t other);

}  // namespace brood
