// SPDX-License-Identifier: MIT
#include "document_root.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <brood/error.hpp>
#include <cerrno>

#include "status.hpp"

namespace httpd {
namespace {

// glibc has no function for openat2(). O_NONBLOCK: opening a FIFO must not wait for its writer.
int open_beneath(int folder, const char* path) {
  const open_how how{.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                     .mode = 0,
                     .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

}  // namespace

// O_PATH: permissions are checked when a child, which has given up privileges, opens a file.
DocumentRoot::DocumentRoot(const std::string& path)
    : folder_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  const std::string what = "document-root = " + path;
  if (!folder_) throw brood::ConfigurationError(brood::SystemError(what, errno).what());
  const brood::Descriptor probe(open_beneath(folder_.get(), "."));
  if (!probe && errno != EACCES)
    throw brood::ConfigurationError(
        brood::SystemError(what + " can't be kept closed: openat2 (Linux 5.6, and allowed by any sandbox)",
                           errno)
            .what());
}

std::optional<File> DocumentRoot::open(const std::string& path) const {
  File file{.descriptor = brood::Descriptor(open_beneath(folder_.get(), path.empty() ? "." : path.c_str()))};
  if (!file.descriptor) {
    switch (errno) {
      case EACCES:
      case EPERM:
        throw Refusal{Status::forbidden, {}};
      case EMFILE:
      case ENFILE:
      case ENOMEM:
        throw Refusal{Status::unavailable, {}};
      default:
        return {};
    }
  }
  struct stat status {};
  if (::fstat(file.descriptor.get(), &status) != 0) throw brood::SystemError("fstat " + path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return {};
  file.is_folder = S_ISDIR(status.st_mode);
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.modified = status.st_mtim;
  return file;
}

}  // namespace httpd
