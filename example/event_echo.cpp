// SPDX-License-Identifier: MIT
// Shows an echo server on an event loop: thousands of connections in a few children.
#include <brood/event_server.hpp>

class EventEcho : public brood::EventServer {
  bool thread_safe() const override { return true; }

  Next handle_readable(brood::Connection& connection) override {
    char buffer[4096];
    if (const auto size = connection.try_read(buffer)) connection.write_all({buffer, *size});
    return Next::request;  // each piece of input is a request; the connection waits for the next one
  }
};

int main(int argc, char** argv) { return EventEcho().run(argc, argv); }
