// SPDX-License-Identifier: MIT
#include "listen/socket_path.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "base/lookup/identity.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {

SocketPath::SocketPath(std::string path, int fifo) : path_(std::move(path)) {
  struct stat status {};
  const bool there = ::lstat(path_.c_str(), &status) == 0;
  file_ = FileIdentity::of(status);
  const bool ours =
      fifo < 0 ? S_ISSOCK(status.st_mode) && status.st_uid == ::geteuid() : file_.is_open_as(fifo);
  if (!there || !ours) {
    const std::string lost = std::exchange(path_, {});
    throw Error("bind to " + lost + ": the file was replaced while it was opened");
  }
}

void SocketPath::set_owner_and_mode(const ListenSpec& spec) const {
  const Identity identity = find_identity(spec.owner, spec.group);
  const Descriptor file(::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) throw SystemError("open " + path_, errno);
  if (FileIdentity::of(file.get()) != file_) throw Error(path_ + " is not the file that was created");
  // The mode first: afterwards that would need CAP_FOWNER.
  if (::chmod(text("/proc/self/fd/", file.get()).c_str(), spec.mode) != 0)
    throw SystemError("set the mode of " + path_, errno);
  if (::fchownat(file.get(), "", identity.user, identity.group, AT_EMPTY_PATH) != 0)
    throw SystemError("give " + path_ + " to " + spec.owner, errno);
}

void SocketPath::remove() {
  const std::string path = std::exchange(path_, {});
  // Only our own file: another server may have bound the path since.
  if (!path.empty() && file_.is_at(path) && ::unlink(path.c_str()) != 0)
    log_warning(SystemError("remove " + path, errno).what());
}

SocketProbe probe_socket(const std::string& path, int type) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {.error_number = ENAMETOOLONG};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  // Not blocking: a server with a full queue would hold us up.
  const Descriptor probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) throw SystemError("socket for " + path, errno);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {.error_number = errno};
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  return {.process = known ? peer.pid : 0};
}

void remove_stale_socket(const std::string& path, int type) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  const std::string what = "bind to " + path;
  if (!S_ISSOCK(status.st_mode)) throw SystemError(what + ": the path is not a socket", EEXIST);
  const SocketProbe probe = probe_socket(path, type);
  if (probe.answered()) throw SystemError(what + ": another server answers there", EADDRINUSE);
  if (probe.error_number == ENAMETOOLONG) throw SystemError(what, ENAMETOOLONG);
  if (probe.error_number == ECONNREFUSED && ::unlink(path.c_str()) != 0)
    throw SystemError("remove stale " + path, errno);
}

}  // namespace brood
