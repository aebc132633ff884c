// SPDX-License-Identifier: MIT
// A listener of the test's own on a free port of 127.0.0.1, for a server to connect to.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "brood/descriptor.hpp"

namespace brood::test {

class LoopbackListener {
 public:
  LoopbackListener() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address_), size) == 0);
    REQUIRE(::listen(socket_.get(), 16) == 0);
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address_), &size) == 0);
  }

  const Descriptor& socket() const { return socket_; }
  const sockaddr_in& address() const { return address_; }
  std::uint16_t port() const { return ntohs(address_.sin_port); }

 private:
  Descriptor socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address_{};
};

}  // namespace brood::test
