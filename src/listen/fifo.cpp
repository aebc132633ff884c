// SPDX-License-Identifier: MIT
#include "listen/fifo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/identity.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

void refuse(const ListenSpec& spec, const std::string& why, int error_number) {
  throw SystemError("open " + spec.written + ": " + why, error_number);
}

}  // namespace

Descriptor open_fifo(const ListenSpec& spec) {
  // Nobody writes before mode and owner are right.
  const bool made = ::mkfifo(spec.path.c_str(), 0600) == 0;
  if (!made && errno != EEXIST) throw SystemError("make " + spec.written, errno);
  // Without following a link, and, where it is no FIFO, without opening it.
  struct stat status {};
  if (::lstat(spec.path.c_str(), &status) != 0) throw SystemError("open " + spec.written, errno);
  if (!S_ISFIFO(status.st_mode)) refuse(spec, "the path is no FIFO", EEXIST);
  if (status.st_uid != ::geteuid() && status.st_uid != find_identity(spec.owner, spec.group).user)
    refuse(spec, "the FIFO there is another user's", EACCES);
  // There is no such end where nobody reads.
  if (!made && Descriptor(::open(spec.path.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)))
    refuse(spec, "somebody reads there already", EADDRINUSE);
  Descriptor fifo(::open(spec.path.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat opened {};
  if (!fifo || ::fstat(fifo.get(), &opened) != 0) throw SystemError("open " + spec.written, errno);
  if (opened.st_dev != status.st_dev || opened.st_ino != status.st_ino)
    throw Error("open " + spec.written + ": something else took its place at once");
  return fifo;
}

}  // namespace brood
