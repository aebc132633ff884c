// SPDX-License-Identifier: MIT
// The path of a unix socket or a FIFO. It is removed at the end, if the file there is still the one that was
// created.
//
// Less trusted users may be able to write to its directory. So owner and mode are changed on the file that
// was created, not on the file that is at the path now.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/address.hpp"

namespace brood {

class SocketPath {
 public:
  SocketPath() = default;  // none
  // To be called after bind(), or with the FIFO that was opened. Throws Error if the file was replaced since.
  explicit SocketPath(std::string path, int fifo = -1);
  // A path that the former program has handed over.
  SocketPath(std::string path, dev_t device, ino_t inode)
      : path_(std::move(path)), device_(device), inode_(inode) {}
  SocketPath(SocketPath&& other) noexcept
      : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}
  SocketPath& operator=(SocketPath&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(device_, other.device_);
    std::swap(inode_, other.inode_);
    return *this;
  }
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  ~SocketPath() { remove(); }

  explicit operator bool() const { return !path_.empty(); }
  dev_t device() const { return device_; }
  ino_t inode() const { return inode_; }
  void set_owner_and_mode(const ListenSpec& spec) const;  // throws Error
  void remove();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Removes the socket of a server that has ended. Throws SystemError if a server answers there, or if the path
// is not a socket.
void remove_stale_socket(const ListenSpec& spec);

}  // namespace brood
