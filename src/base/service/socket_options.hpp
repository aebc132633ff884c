// SPDX-License-Identifier: MIT
// The settings of a service for the sockets of its listeners.
#pragma once

#include <chrono>
#include <string>

namespace brood {

// Until the first probe (0: there are none), between probes, and how many are lost before the connection is
// broken; 0: that of the kernel.
struct Keepalive {
  std::chrono::milliseconds idle{0}, interval{0};
  unsigned count = 0;

  bool operator==(const Keepalive&) const = default;
};
// "60s", "60s/10s", "60s/10s/5". Throws ConfigurationError.
Keepalive parse_keepalive(const std::string& written);
std::string write_keepalive(const Keepalive& keepalive);

// Settings of a service for its TCP listeners. Connections inherit them from the listener.
struct SocketOptions {
  Keepalive keepalive;
  std::chrono::milliseconds user_timeout{0};  // 0: that of the kernel
  std::chrono::milliseconds defer_accept{0};  // 0: no
  // Of a wait in a socket that blocks; 0: no limit.
  std::chrono::milliseconds read_timeout{0}, write_timeout{0};
  bool freebind = false;  // also of UDP

  bool operator==(const SocketOptions&) const = default;
};

}  // namespace brood
