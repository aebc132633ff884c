// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard_place.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {
namespace {

// The files in a directory of this user, and nothing below it. A directory of somebody else is not touched,
// nor one that replaces it at this moment.
void remove_files_in(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(
      ::fdopendir(
          Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)).release()),
      ::closedir);
  struct stat status {};
  if (!directory || ::fstat(::dirfd(directory.get()), &status) != 0)
    throw SystemError("open directory " + path, errno);
  // Its owner could replace the files in it.
  if (status.st_uid != ::geteuid()) throw SystemError("directory " + path + " of another user", EPERM);
  while (const dirent* const entry = ::readdir(directory.get()))  // NOLINT(concurrency-mt-unsafe)
    ::unlinkat(::dirfd(directory.get()), entry->d_name, 0);       // fails for a directory
}

}  // namespace

std::string ScoreboardPlace::of(std::string_view service) const {
  return path.empty() || !directory ? path : path + '/' + std::string(service);
}

std::string ScoreboardPlace::of_server() const { return directory ? of(server_file_name) : ""; }

void ScoreboardPlace::prepare() const {
  if (path.empty()) return;
  struct stat there {};
  const bool exists = ::lstat(path.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) {
    remove_files_in(path);
    if (!directory && ::rmdir(path.c_str()) != 0) throw SystemError("remove directory " + path, errno);
    return;
  }
  if (!directory) return;  // a file is replaced when the new one is complete
  if (exists) ::unlink(path.c_str());
  if (::mkdir(path.c_str(), 0755) != 0) throw SystemError("make directory " + path, errno);
}

void ScoreboardPlace::share(const Scoreboard& scoreboard) const {
  if (!readers || path.empty()) return;
  try {
    scoreboard.share_with(*readers);
  } catch (const SystemError& error) {
    log_warning(
        text("status-group: ", std::string_view(error.what()), "; only root and this user can read it"));
  }
}

void ScoreboardPlace::remove_directory() const {
  if (directory && !path.empty()) ::rmdir(path.c_str());
}

}  // namespace brood
