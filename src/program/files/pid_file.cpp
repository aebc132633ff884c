// SPDX-License-Identifier: MIT
#include "program/files/pid_file.hpp"

#include "base/file_identity.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "program/files/locked_file.hpp"

namespace brood {

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  if (!path_.empty()) file_ = open(path_);
}

Descriptor PidFile::open(const std::string& path) {
  LockedFile locked = LockedFile::open(path, 0644, "pid-file");
  if (!locked.file)
    throw ConfigurationError(
        text("pid-file ", path, " is held by process ", locked.other, ": the server already runs"));
  return std::move(locked.file);
}

void PidFile::take_over(std::string path, Descriptor file) {
  path_ = std::move(path);
  file_ = std::move(file);
}

void PidFile::look_at_path() {
  if (path_.empty() || !file_ || FileIdentity::of(file_.get()).is_at(path_)) return;
  try {
    file_ = open(path_);
    log_warning(text("pid-file ", path_, " was removed or replaced; it was written again"));
  } catch (const Error& error) {
    log_error(text("pid-file ", path_,
                   " was removed or replaced, and can't be written again: ", std::string_view(error.what())));
  }
}

PidFile::~PidFile() { remove_locked(path_, file_); }

}  // namespace brood
