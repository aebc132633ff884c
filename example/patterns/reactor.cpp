// SPDX-License-Identifier: MIT
// Shows a reactor: one thread waits for all connections, and calls the handler of the one that is ready.
//   In the books: Reactor, Dispatcher (POSA2); I/O multiplexing (Stevens, UNP 6); event-driven server,
//   "serve many clients with each thread, level-triggered readiness notification" (C10K). With several
//   children: an event loop in each process, the efficient half-sync/half-async of Linux server books.
//   Take it: for thousands of connections and little work for each request. Not if handlers wait or compute
//   for long: all connections of the child wait with them.
#include <brood/event_server.hpp>

#include "protocol.hpp"

class ReactorServer : public brood::EventServer {
  Next handle_readable(brood::Connection& connection) override {
    while (const auto line = connection.try_line()) connection.write_all(patterns::answer(*line));
    return Next::request;
  }
};

int main(int argc, char** argv) { return ReactorServer().run(argc, argv); }
