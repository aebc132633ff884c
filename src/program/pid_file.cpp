// SPDX-License-Identifier: MIT
#include "program/pid_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  file_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file_) throw SystemError("open pid-file " + path_, errno, ExitCode::configuration);
  // A lock of the process, not of the open file. Children share the open file, and may outlive a killed
  // parent until their connections are finished. And F_GETLK names the holder.
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file_.get(), F_SETLK, &lock) != 0) {
    ::fcntl(file_.get(), F_GETLK, &lock);
    throw ConfigurationError(
        text("pid-file ", path_, " is held by process ", lock.l_pid, ": the server already runs"));
  }
  struct stat ours {};
  struct stat at_path {};
  if (::fstat(file_.get(), &ours) != 0 || ::lstat(path_.c_str(), &at_path) != 0 ||
      ours.st_ino != at_path.st_ino)
    throw ConfigurationError(text("pid-file ", path_, " was just removed by a server that ends: try again"));
  const std::string pid = text(::getpid(), '\n');
  if (::ftruncate(file_.get(), 0) != 0 || ::pwrite(file_.get(), pid.data(), pid.size(), 0) < 0)
    throw SystemError("write pid-file " + path_, errno);
}

void PidFile::take_over(std::string path, Descriptor file) {
  path_ = std::move(path);
  file_ = std::move(file);
}

PidFile::~PidFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace brood
