// SPDX-License-Identifier: MIT
// The echo server as a reactor: thousands of connections in a handful of children.
#include <brood/event_server.hpp>

class EventEcho : public brood::EventServer {
  bool thread_safe() const override { return true; }

  Next handle_readable(brood::Connection& connection) override {
    char buffer[4096];
    if (const auto size = connection.try_read(buffer)) connection.write_all({buffer, *size});
    return Next::request;  // between requests, as far as an echo server has any
  }
};

int main(int argc, char** argv) { return EventEcho().run(argc, argv); }
