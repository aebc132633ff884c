// SPDX-License-Identifier: MIT
// The child model on an event loop: many connections in a child, none of which blocks it.
#include "brood/event_server.hpp"
#include "models/reactor.hpp"
#include "models/threads.hpp"

namespace brood {

void EventServer::serve(Child& child) {
  Reactor reactor(child, [this](Connection& connection, bool just_accepted) {
    return just_accepted ? handle_accepted(connection) : handle_readable(connection);
  });
  run_threads(child.limits().threads, [&] { reactor.run(); });
}

}  // namespace brood
