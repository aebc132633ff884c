// SPDX-License-Identifier: MIT
// The reactor child model: many connections a child, non-blocking.
#include "brood/event_server.hpp"
#include "models/reactor.hpp"
#include "models/threads.hpp"

namespace brood {

void EventServer::serve(Child& child) {
  Reactor reactor(child, [this](Connection& connection, bool fresh) {
    return fresh ? handle_accepted(connection) : handle_readable(connection);
  });
  run_threads(child.limits().threads, [&] { reactor.run(); });
}

}  // namespace brood
