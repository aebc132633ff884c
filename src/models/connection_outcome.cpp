// SPDX-License-Identifier: MIT
#include "models/connection_outcome.hpp"

#include "child/client_messages.hpp"

namespace brood {

void log_too_old(const Connection& connection) {
  const char* const why = connection.has_own_deadline() ? ": beyond its handler's deadline; it is closed"
                                                        : ": beyond connection-timeout; it is closed";
  log_for_client(ClientMessage::time_limit, LogLevel::info, connection_from(connection.peer()) + why);
}

void log_too_silent(const Connection& connection) {
  log_for_client(ClientMessage::time_limit, LogLevel::info,
                 connection_from(connection.peer()) +
                     ": overload-read-timeout: it is silent while others wait; it is closed");
}

void log_no_first_byte(const Connection& connection) {
  log_for_client(
      ClientMessage::time_limit, LogLevel::info,
      connection_from(connection.peer()) + ": first-byte-timeout: it has sent nothing; it is closed");
}

}  // namespace brood
