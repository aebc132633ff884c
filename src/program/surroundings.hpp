// SPDX-License-Identifier: MIT
// What whoever started the program has left to it: descriptors, signals that are ignored, working directory
// and the like. A server starts in the same state whoever starts it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "settings/command_line.hpp"
#include "settings/service_source.hpp"

namespace brood {

// Of the environment; "": it is not set, or empty.
std::string_view variable(const char* name);

// Signals that the caller has ignored have their default action again. What main() has set since stays.
void restore_signals();

// The listeners, from descriptor 3 on, that these settings name, and those of LISTEN_FDS.
std::vector<int> listeners_to_keep(const WantedSettings& wanted);
// Those, the log, and notify-fd.
std::vector<int> descriptors_to_keep(const WantedSettings& wanted);
// Closes what was open from descriptor 3 on when the program was loaded, except `kept` and what is closed at
// exec(): main() has made that its own, or it was handed over.
void close_left_descriptors(std::span<const int> kept);

// For the background: working directory "/", umask 022.
void leave_callers_place();
// The paths that would name other files there. Throws ConfigurationError.
void check_paths_of_background(const ServiceSource& source, const WantedSettings& wanted);

}  // namespace brood
