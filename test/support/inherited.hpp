// SPDX-License-Identifier: MIT
// A listener that is there before the server, as a service manager hands it on.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "brood/descriptor.hpp"
#include "server_process.hpp"

namespace brood::test {

// A server has it as descriptor 9.
struct Inherited {
  Inherited() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof local;
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), size) == 0);
    REQUIRE(::listen(socket.get(), 128) == 0);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local), &size) == 0);
    address = "127.0.0.1:" + std::to_string(ntohs(local.sin_port));
  }
  ServerOptions options() const {
    return {.listen = false, .in_process = [fd = socket.get()] { ::dup2(fd, 9); }};
  }
  Descriptor socket;
  std::string address;
};

}  // namespace brood::test
