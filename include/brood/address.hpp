// SPDX-License-Identifier: MIT
// The address of a socket, as a value.
#pragma once

#include "brood/cxx20.hpp"

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace brood {

class Address {
 public:
  enum class Family : std::uint8_t { ipv4, ipv6, unix_socket, other };

  Address() = default;
  explicit Address(const sockaddr_storage& address) : address_(address) {}

  Family family() const;
  std::string text() const;    // "192.0.2.7:40312", "[2001:db8::7]:40312", "unix:/path", "unix"
  std::string host() const;    // "192.0.2.7", "2001:db8::7"; else ""
  std::uint16_t port() const;  // else 0
  // An IPv4 address that arrived at an IPv6 socket (::ffff:192.0.2.7) as IPv4; any other as it is.
  Address unmapped() const;

  const sockaddr* data() const;  // for bind(), connect() and the like
  socklen_t size() const;
  friend bool operator==(const Address& a, const Address& b);

 private:
  sockaddr_storage address_{};
};

// The process at the other end of a unix socket, when it connected.
struct PeerCredentials {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

}  // namespace brood
