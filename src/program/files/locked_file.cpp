// SPDX-License-Identifier: MIT
#include "program/files/locked_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_identity.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

// Each time, another process has removed the file in the same moment.
constexpr int most_attempts = 100;

// A lock of the process, not of the open file. And F_GETLK names the holder.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

// Less trusted users may be able to write to the directory. So it follows no link, does not wait for a FIFO,
// and writes to no file that has another owner or another name.
Descriptor open_own(const std::string& path, mode_t mode, const std::string& what) {
  Descriptor file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode));
  struct stat ours {};
  if (!file || ::fstat(file.get(), &ours) != 0)
    throw SystemError(text("open ", what, " ", path), errno, ExitCode::configuration);
  if (!S_ISREG(ours.st_mode) || ours.st_uid != ::geteuid() || ours.st_nlink > 1)
    throw ConfigurationError(
        text(what, " ", path, " is not a file of this user with one name: remove it, or set another path"));
  return file;
}

}  // namespace

LockedFile LockedFile::open(const std::string& path, mode_t mode, const std::string& what) {
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    Descriptor file = open_own(path, mode, what);
    struct flock lock = whole_file();
    if (::fcntl(file.get(), F_SETLK, &lock) != 0) {
      if (errno != EAGAIN && errno != EACCES) throw SystemError(text("lock ", what, " ", path), errno);
      if (::fcntl(file.get(), F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK) continue;  // given up just now
      return {.file = {}, .other = lock.l_pid};
    }
    if (!FileIdentity::of(file.get()).is_at(path)) continue;  // its holder has removed it
    const std::string pid = text(::getpid(), '\n');
    if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0)
      throw SystemError(text("write ", what, " ", path), errno);
    return {.file = std::move(file), .other = 0};
  }
  throw ConfigurationError(text(what, " ", path, " was removed by another process again and again"));
}

std::optional<pid_t> holder_of(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct flock lock = whole_file();
  if (!file || ::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return {};
  return lock.l_pid;
}

void remove_locked(const std::string& path, const Descriptor& file) {
  struct stat ours {};
  if (!path.empty() && file && ::fstat(file.get(), &ours) == 0 && FileIdentity::of(ours).is_at(path))
    ::unlink(path.c_str());
}

}  // namespace brood
