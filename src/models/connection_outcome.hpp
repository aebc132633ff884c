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
  try {
    note_throw_place(handler);
    return Outcome::served;
  } catch (...) {
    const Outcome outcome = with_traces(outcome_of_exception(), traces_of(connection));
    log_exception(outcome, connection_from(connection.peer()));
    return outcome;
  }
}

// It is closed because of connection-timeout, or of the deadline that its handler has set.
void log_too_old(const Connection& connection);
// Because of overload-read-timeout.
void log_too_silent(const Connection& connection);
// Because of first-byte-timeout.
void log_no_first_byte(const Connection& connection);

}  // namespace brood
