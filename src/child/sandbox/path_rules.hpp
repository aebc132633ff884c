// SPDX-License-Identifier: MIT
// Restricts a process to files and directories (landlock(7)). In a fresh child, after its root directory and
// user were changed.
#pragma once

#include <string>
#include <vector>

#include "base/sandbox/sandbox_settings.hpp"

namespace brood {

// Logs which paths children will have, and where it can be seen what was refused. The parent itself cannot
// see it: who is refused sees EACCES, and makes no call that the filter of calls would stop.
void tell_of_paths(const std::string& service, const SandboxSettings& settings);

// From here on the process, and what it executes, can read and execute only what is at or below `read`, and
// do anything only at or below `write`. Descriptors that are open stay as they are. Needs no_new_privs. Does
// nothing if the kernel cannot. Throws ConfigurationError: a path that does not exist, and what failed.
void restrict_paths(const std::vector<std::string>& read, const std::vector<std::string>& write);

}  // namespace brood
