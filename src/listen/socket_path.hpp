// SPDX-License-Identifier: MIT
// The name of a listener in the file system, a unix socket's or a FIFO's: ours as long as it is the one that
// we made, and removed with us.
//
// Its directory may be writable by users less trusted than the parent, so owner and mode are changed on the
// very file that was made, never on whatever stands at the path by now.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/address.hpp"

namespace brood {

class SocketPath {
 public:
  SocketPath() = default;  // none
  // Right after bind(), or with the FIFO that was opened there. Throws where the path is another's by now.
  explicit SocketPath(std::string path, int fifo = -1);
  // One that a former program of this process made.
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
  void set_owner_and_mode(const ListenSpec& spec) const;  // throws
  void remove();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Removes what a server left behind that is no more. Throws where another one answers there, or where the
// path is no socket.
void remove_stale_socket(const ListenSpec& spec);

}  // namespace brood
