// SPDX-License-Identifier: MIT
// Gives the frames of a stack their names: function, file and line, from the ELF files, from the debug
// information in them, and from separate files with it (by build-id below /usr/lib/debug, or as
// .gnu_debuglink says). Reads large files and may take seconds: in a process of its own.
#pragma once

#include "base/crash/crash.hpp"

namespace brood {

// What is not found stays a module and an offset. Writes `frames`, `top` and `exception`.
void name_stack(Crash& crash);

}  // namespace brood
