// SPDX-License-Identifier: MIT
// The blocking child model: one connection at a time, or one in each thread.
#include "brood/server.hpp"
#include "models/connection_outcome.hpp"
#include "models/threads.hpp"

namespace brood {

[[gnu::hot]] void Server::serve(Child& child) {
  run_threads(child.limits().threads, [&] {
    while (auto connection = child.accept()) {
      const Outcome outcome = guard_connection(*connection, [&] { handle_connection(*connection); });
      child.finished(std::move(*connection), outcome);
    }
  });
}

}  // namespace brood
