// SPDX-License-Identifier: MIT
// Opens a file to which processes append lines.
#pragma once

#include <sys/types.h>

#include <string>

#include "brood/descriptor.hpp"

namespace brood {

// Makes it if it is not there. If this process is root, the file gets this owner, so that processes of that
// user can open it again; -1: it keeps the one it has. `path` may also be a FIFO that has a reader, or a
// device. Never waits. Throws SystemError.
Descriptor open_log_file(const std::string& path, uid_t owner);

}  // namespace brood
