// SPDX-License-Identifier: MIT
#include "program/files/name_claim.hpp"

#include "base/file_identity.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "program/files/locked_file.hpp"
#include "program/files/scoreboard_path.hpp"

namespace brood {
namespace {

// Others could hold a lock of a file that they can read.
LockedFile open_claim(const std::string& path) { return LockedFile::open(path, 0600, "lock file"); }

}  // namespace

std::string NameClaim::path_for(const Configuration& configuration) {
  return scoreboard_path(configuration, ".lock");
}

// Whoever keeps a server from making the file must not keep it from starting.
void NameClaim::take(const Configuration& configuration) {
  path_ = path_for(configuration);
  if (path_.empty() || !prepare_runtime_directory(configuration).empty()) return;
  LockedFile locked;
  try {
    locked = open_claim(path_);
  } catch (const Error& error) {
    log_warning(text(std::string_view(error.what()),
                     "; another server of this name that starts in the same moment is not noticed"));
    return;
  }
  if (!locked.file) throw_already_runs(configuration, path_, locked.other);
  file_ = std::move(locked.file);
}

void NameClaim::take_over(std::string path, Descriptor file) {
  path_ = std::move(path);
  file_ = std::move(file);
}

void NameClaim::look_at_path() {
  if (path_.empty() || given_up_ || (file_ && FileIdentity::of(file_.get()).is_at(path_))) return;
  const bool had_it = static_cast<bool>(file_);
  try {
    LockedFile locked = open_claim(path_);
    if (!locked.file) throw Error(text("process ", locked.other, " holds it"));
    file_ = std::move(locked.file);
    if (had_it) log_warning(text("lock file ", path_, " was removed or replaced; it was made again"));
  } catch (const Error& error) {
    if (had_it)
      log_error(text("lock file ", path_,
                     " was removed or replaced, and can't be made again: ", std::string_view(error.what())));
  }
}

// The file is removed while it is held: whoever has opened it finds that it is no longer at its path.
void NameClaim::give_up() {
  remove_locked(path_, file_);
  file_.reset();
  given_up_ = true;
}

bool NameClaim::take_again() {
  if (path_.empty() || file_) return true;
  try {
    file_ = open_claim(path_).file;
    return static_cast<bool>(file_);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace brood
