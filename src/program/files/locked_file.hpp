// SPDX-License-Identifier: MIT
// A file that one process at a time holds by a lock, with the pid of this process in it. The lock ends with
// the process, however it ends, and not before: it crosses exec() with the descriptor, and children do not
// have it, who may outlive a killed parent. It also ends if the process closes any descriptor of the file.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "brood/descriptor.hpp"

namespace brood {

struct LockedFile {
  Descriptor file;  // none: another process holds it
  pid_t other = 0;  // that process; 0: its pid is not known here

  // Makes the file, or opens an old one. `what`: what it is, for errors. Throws ConfigurationError if the
  // path has something else than a file of this user with one name, and SystemError.
  static LockedFile open(const std::string& path, mode_t mode, const std::string& what);
};

// Looks for the process that holds the file, and takes no lock. Empty: there is none, or this user may not
// look. Not for a process that holds it itself.
std::optional<pid_t> holder_of(const std::string& path);

// Removes a file that this process holds, unless another one has its path.
void remove_locked(const std::string& path, const Descriptor& file);

}  // namespace brood
