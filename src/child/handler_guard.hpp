// SPDX-License-Identifier: MIT
// The rule for exceptions, in all child models: an exception that leaves a handler ends its connection, and
// never the child. It is logged, and the connection counts as failed, if it is the handler's own and not the
// peer's doing.
#pragma once

#include <string>

#include "brood/child.hpp"
#include "child/crash/throw_place.hpp"

namespace brood {

// What is known of a connection beside what its handler did.
struct PeerTraces {
  bool ended = false;     // the peer sends no more, or the connection is broken
  bool sent = false;      // the peer sent something
  bool answered = false;  // something was written
};
// A peer that leaves before it has sent anything is a probe, as that of a load balancer, whatever the handler
// makes of it. Pure.
Outcome with_traces(Outcome by_handler, const PeerTraces& traces);
PeerTraces traces_of(const Connection& connection);

// Within a catch block: what the exception says. Served: what the peer has sent breaks the protocol, as a
// line that is too long.
Outcome outcome_of_exception();
// Within a catch block: logs the exception, as loud as the outcome is, and where it was thrown. `whose`:
// "connection from 127.0.0.1:4711".
void log_exception(Outcome outcome, const std::string& whose);

// For what is no connection. `whose` is a function, which is called only if there is something to log.
template <typename Handler, typename Whose>
Outcome guard_handler(const Handler& handler, const Whose& whose) {
  try {
    note_throw_place(handler);
    return Outcome::served;
  } catch (...) {
    const Outcome outcome = outcome_of_exception();
    log_exception(outcome, whose());
    return outcome;
  }
}

}  // namespace brood
