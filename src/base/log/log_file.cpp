// SPDX-License-Identifier: MIT
#include "base/log/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "brood/error.hpp"

namespace brood {

// Less trusted users may be able to write to the directory. So no link is followed, and the owner is
// changed only of a file that is ours and has one name. Not blocking: a FIFO without a reader would hold up
// the parent.
Descriptor open_log_file(const std::string& path, uid_t owner) {
  const int follow = path.starts_with("/dev/") ? 0 : O_NOFOLLOW;
  Descriptor opened(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | follow, 0640));
  struct stat status {};
  if (!opened || ::fstat(opened.get(), &status) != 0) throw SystemError("open log " + path, errno);
  const bool trusted = status.st_uid == ::geteuid() || status.st_uid == 0 || status.st_uid == owner;
  if (follow != 0 && !S_ISREG(status.st_mode) && !trusted)
    throw SystemError("open log " + path + ": it is not a file, and belongs to another user", EPERM);
  const bool ours = S_ISREG(status.st_mode) && status.st_nlink == 1 && status.st_uid == ::geteuid();
  if (owner != static_cast<uid_t>(-1) && owner != status.st_uid && ours && ::geteuid() == 0 &&
      ::fchown(opened.get(), owner, static_cast<gid_t>(-1)) != 0)
    throw SystemError("give log " + path + " to the service's user", errno);
  return opened;
}

}  // namespace brood
