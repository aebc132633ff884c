// SPDX-License-Identifier: MIT
// Where a load goes, and the way there.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "brood/descriptor.hpp"

namespace brood::load {

class LoadTarget {
 public:
  // "127.0.0.1:8000", "[::1]:8000", "8000" (of 127.0.0.1), "unix:/path". Throws std::invalid_argument for
  // anything else.
  explicit LoadTarget(const std::string& text);

  // It surely is this machine: a loopback address, or a unix socket.
  bool is_local() const;

  // A socket that is connected, or, with SOCK_NONBLOCK in `flags`, about to be. Empty with errno: it failed.
  Descriptor connect(int flags);

 private:
  bool bind_source(const Descriptor& socket);

  sockaddr_storage address_{};
  socklen_t size_ = 0;
  std::uint32_t source_ = 0;
};

// So many descriptors beside those that every program has. Throws std::runtime_error, with what to do, where
// the hard limit is lower and may not be raised.
void raise_descriptor_limit(std::uint64_t descriptors);

}  // namespace brood::load
