// SPDX-License-Identifier: MIT
// The process that answers the status listener. It maps the scoreboards read-only, and has nothing else of
// the server: no other descriptor, no rights. Whatever the parent and the children do, it answers.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

struct ReporterSetup {
  std::vector<Descriptor> listeners;
  std::vector<Descriptor> scoreboards;  // as ScoreboardReader takes them
  Descriptor parent_end;                // of a pipe: it ends when this process is to end
  std::string scoreboard;               // its path, for the answers
};

// In a fresh process, in which all else of the parent is closed. Returns the exit code.
int reporter_main(ReporterSetup setup);

}  // namespace brood
