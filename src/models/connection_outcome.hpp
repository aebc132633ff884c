// SPDX-License-Identifier: MIT
// How the child models for connections guard a handler, and what the log says about a connection that ends
// badly: the same in each of them.
#pragma once

#include <string>

#include "child/handler_guard.hpp"

namespace brood {

// As log messages name it.
inline std::string connection_from(const std::string& peer) { return "connection from " + peer; }

template <typename Handler>
Outcome guard_connection(const Connection& connection, const Handler& handler) {
  return guard_handler(handler, [&] { return connection_from(connection.peer()); });
}

// It is closed because of connection-timeout.
void log_too_old(const std::string& peer);

}  // namespace brood
