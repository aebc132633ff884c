// SPDX-License-Identifier: MIT
#include "listen/socket_path.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/identity.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {

SocketPath::SocketPath(std::string path, int fifo) : path_(std::move(path)) {
  struct stat status {
  }, opened{};
  const bool there = ::lstat(path_.c_str(), &status) == 0;
  const bool ours = fifo < 0 ? S_ISSOCK(status.st_mode) && status.st_uid == ::geteuid()
                             : ::fstat(fifo, &opened) == 0 && opened.st_dev == status.st_dev &&
                                   opened.st_ino == status.st_ino;
  if (!there || !ours) {
    const std::string lost = std::exchange(path_, {});
    throw Error("bind to " + lost + ": the file was replaced while it was opened");
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

void SocketPath::set_owner_and_mode(const ListenSpec& spec) const {
  const Identity identity = find_identity(spec.owner, spec.group);
  const Descriptor file(::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) throw SystemError("open " + path_, errno);
  if (status.st_dev != device_ || status.st_ino != inode_)
    throw Error(path_ + " is not the file that was created");
  if (::fchownat(file.get(), "", identity.user, identity.group, AT_EMPTY_PATH) != 0)
    throw SystemError("give " + path_ + " to " + spec.owner, errno);
  if (::chmod(text("/proc/self/fd/", file.get()).c_str(), spec.mode) != 0)
    throw SystemError("set the mode of " + path_, errno);
}

void SocketPath::remove() {
  const std::string path = std::exchange(path_, {});
  struct stat status {};
  // Only our own file: another server may have bound the path since.
  if (!path.empty() && ::lstat(path.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_ && ::unlink(path.c_str()) != 0)
    log_warning(SystemError("remove " + path, errno).what());
}

void remove_stale_socket(const ListenSpec& spec) {
  struct stat status {};
  if (::lstat(spec.path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode))
    throw SystemError("bind to " + spec.written + ": the path is not a socket", EEXIST);
  const SocketAddress address = resolve(spec).front();
  // Not blocking: a server with a full queue would hold us up.
  const int type = spec.kind == ListenSpec::Kind::unix_datagram ? SOCK_DGRAM : SOCK_STREAM;
  const Descriptor probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) throw SystemError("socket for " + spec.written, errno);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0 ||
      errno == EAGAIN)
    throw SystemError("bind to " + spec.written + ": another server answers there", EADDRINUSE);
  if (errno == ECONNREFUSED && ::unlink(spec.path.c_str()) != 0)
    throw SystemError("remove stale " + spec.path, errno);
}

}  // namespace brood
