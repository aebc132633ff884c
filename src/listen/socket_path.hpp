// SPDX-License-Identifier: MIT
// The path of a unix socket or a FIFO. It is removed at the end, if the file there is still the one that was
// created.
//
// Less trusted users may be able to write to its directory. So owner and mode are changed on the file that
// was created, not on the file that is at the path now.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/address.hpp"
#include "base/file_identity.hpp"

namespace brood {

class SocketPath {
 public:
  SocketPath() = default;  // none
  // To be called after bind(), or with the FIFO that was opened. Throws Error if the file was replaced since.
  explicit SocketPath(std::string path, int fifo = -1);
  // A path that the former program has handed over.
  SocketPath(std::string path, dev_t device, ino_t inode)
      : path_(std::move(path)), file_{.device = device, .inode = inode} {}
  SocketPath(SocketPath&& other) noexcept : path_(std::exchange(other.path_, {})), file_(other.file_) {}
  SocketPath& operator=(SocketPath&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    return *this;
  }
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  ~SocketPath() { remove(); }

  explicit operator bool() const { return !path_.empty(); }
  dev_t device() const { return file_.device; }
  ino_t inode() const { return file_.inode; }
  // Somebody has removed the file, or has put another one there.
  bool lost() const { return !path_.empty() && !file_.is_at(path_); }
  void set_owner_and_mode(const ListenSpec& spec) const;  // throws Error
  void remove();

 private:
  std::string path_;
  FileIdentity file_;
};

// Whether a server listens on the unix socket at this path. `type`: SOCK_STREAM or SOCK_DGRAM.
struct SocketProbe {
  int error_number = 0;  // of connect()
  pid_t process = 0;     // the server; 0: not known, it may be in another pid namespace
  // A full queue is that of a server, too.
  bool answered() const { return error_number == 0 || error_number == EAGAIN; }
};
SocketProbe probe_socket(const std::string& path, int type);  // throws SystemError if there is no socket left

// Removes the socket of a server that has ended. `type`: SOCK_STREAM or SOCK_DGRAM. Throws SystemError if a
// server answers there, or if the path is not a socket.
void remove_stale_socket(const std::string& path, int type);

}  // namespace brood
