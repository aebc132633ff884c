// SPDX-License-Identifier: MIT
// A listener of every address of a port takes the place of one of an address of that port, or the other way
// round. The kernel permits both to listen only if each of them says so when the second one is bound.
#pragma once

#include <sys/socket.h>

#include <vector>

namespace brood {

// While it exists, these sockets permit it. Others of the same user could bind the port then, too.
class PortSharing {
 public:
  explicit PortSharing(std::vector<int> sockets) : sockets_(std::move(sockets)) { set(1); }
  ~PortSharing() { set(0); }
  PortSharing(const PortSharing&) = delete;
  PortSharing& operator=(const PortSharing&) = delete;

  void add(int socket) { sockets_.push_back(socket); }  // which permits it already

 private:
  // If it fails, bind() says why.
  void set(int value) const {
    for (const int socket : sockets_) ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
  }

  std::vector<int> sockets_;
};

}  // namespace brood
