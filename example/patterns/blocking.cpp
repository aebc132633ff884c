// SPDX-License-Identifier: MIT
// Shows a process, or a thread, for each connection: the plain Server, to which the other patterns are
// compared.
//   In the books: preforked server, prethreaded server, each calling accept (Stevens, UNP 30.6 to 30.12);
//   the operating system's own half-sync/half-async (POSA2); "serve one client with each thread" (C10K).
//   Take it: unless one of the others is needed. Not for thousands of connections that mostly wait.
#include <brood/server.hpp>

#include "protocol.hpp"

class Blocking : public brood::Server {
  bool thread_safe() const override { return true; }

  void handle_connection(brood::Connection& connection) override {
    while (const auto line = connection.read_line()) {
      connection.write_all(patterns::answer(*line));
      if (connection.leaving()) return;
    }
  }
};

int main(int argc, char** argv) { return Blocking().run(argc, argv); }
