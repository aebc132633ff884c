// SPDX-License-Identifier: MIT
// Restricts a process to files and directories (landlock(7)). In a fresh child, after its root directory and
// user were changed.
#pragma once

#include <string>
#include <vector>

namespace brood {

// "": the kernel can do it. Else why not.
std::string why_no_path_rules();

// From here on the process, and what it executes, can read and execute only what is at or below `read`, and
// do anything only at or below `write`. Descriptors that are open stay as they are. Needs no_new_privs. Does
// nothing if the kernel cannot. Throws ConfigurationError: a path that does not exist, and what failed.
void restrict_paths(const std::vector<std::string>& read, const std::vector<std::string>& write);

}  // namespace brood
