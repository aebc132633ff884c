// SPDX-License-Identifier: MIT
// Connections that have had one answer each and then wait, for nothing.
#pragma once

#include <string>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood::bench {

class IdleConnections {
 public:
  // Throws std::runtime_error where they can't all be had.
  IdleConnections(const std::string& address, unsigned number);

  // How many the server has closed.
  unsigned closed() const;

 private:
  std::vector<Descriptor> sockets_;
};

}  // namespace brood::bench
