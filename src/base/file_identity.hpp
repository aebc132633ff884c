// SPDX-License-Identifier: MIT
// Which file a path had when it was made. Others may be able to write to its directory, so the path may have
// another file later, or none.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;

  static FileIdentity of(const struct stat& status) {
    return {.device = status.st_dev, .inode = status.st_ino};
  }
  // Throws SystemError.
  static FileIdentity of(int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) throw SystemError(text("look at descriptor ", descriptor), errno);
    return of(status);
  }
  // False also if the descriptor is closed.
  bool is_open_as(int descriptor) const noexcept {
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 && *this == of(status);
  }
  // Follows no link. False also if nobody can say.
  bool is_at(const std::string& path) const noexcept {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && *this == of(status);
  }
  bool operator==(const FileIdentity&) const = default;
};

}  // namespace brood
