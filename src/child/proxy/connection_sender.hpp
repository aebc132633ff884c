// SPDX-License-Identifier: MIT
// Who has sent a connection, and its PROXY header.
#pragma once

#include "brood/connection.hpp"
#include "brood/proxy_header.hpp"

namespace brood {

struct Connection::Sender {
  Address address;
  ProxyHeader header;
};

}  // namespace brood
