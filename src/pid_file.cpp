// SPDX-License-Identifier: MIT
#include "pid_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "brood/error.hpp"
#include "text.hpp"

namespace brood {

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  file_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file_) throw SystemError("open pid-file " + path_, errno, ExitCode::configuration);
  // flock belongs to the open file, which children share: they don't hold it up, because they leave with
  // their parent.
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 24> pid{};
    const ssize_t size = ::read(file_.get(), pid.data(), pid.size() - 1);
    const std::string_view content(pid.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    throw ConfigurationError(text("pid-file ", path_, " is held by process ",
                                  trim(split(content, '\n').front()), ": the server runs already"));
  }
  const std::string pid = text(::getpid(), '\n');
  if (::ftruncate(file_.get(), 0) != 0 || ::pwrite(file_.get(), pid.data(), pid.size(), 0) < 0)
    throw SystemError("write pid-file " + path_, errno);
}

PidFile::~PidFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace brood
