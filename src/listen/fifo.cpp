// SPDX-License-Identifier: MIT
#include "listen/fifo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_identity.hpp"
#include "base/lookup/identity.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

void refuse(const ListenSpec& spec, const std::string& why, int error_number) {
  throw SystemError("open " + spec.written + ": " + why, error_number);
}

}  // namespace

Descriptor open_fifo(const ListenSpec& spec) {
  // No other user can write to it before mode and owner are set.
  const bool made = ::mkfifo(spec.path.c_str(), 0600) == 0;
  if (!made && errno != EEXIST) throw SystemError("make " + spec.written, errno);
  // Follows no link, and does not open what is not a FIFO.
  struct stat status {};
  if (::lstat(spec.path.c_str(), &status) != 0) throw SystemError("open " + spec.written, errno);
  if (!S_ISFIFO(status.st_mode)) refuse(spec, "the path is not a FIFO", EEXIST);
  if (status.st_uid != ::geteuid() && status.st_uid != find_identity(spec.owner, spec.group).user)
    refuse(spec, "the FIFO belongs to another user", EACCES);
  // This open() succeeds only if a process reads from the FIFO.
  if (!made && Descriptor(::open(spec.path.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)))
    refuse(spec, "another process reads from it", EADDRINUSE);
  Descriptor fifo(::open(spec.path.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!fifo) throw SystemError("open " + spec.written, errno);
  if (FileIdentity::of(fifo.get()) != FileIdentity::of(status))
    throw Error("open " + spec.written + ": the FIFO was replaced while it was opened");
  return fifo;
}

}  // namespace brood
