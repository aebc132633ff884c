// SPDX-License-Identifier: MIT
// A test_server on an event loop. A line each:
//
//   the commands of common_commands.hpp
//   close       answers "closing", and the server closes
//   busy        the connection waits from now on for the rest of a request, answers "busy"; "idle" ends that
//   answered    how many lines this connection has sent
#include <string>

#include "brood/event_server.hpp"
#include "brood/settings.hpp"
#include "common_commands.hpp"

namespace {

class EventTestServer : public brood::EventServer {
  struct Session {
    bool busy = false;
    unsigned lines = 0;
  };

  bool thread_safe() const override { return true; }

  void add_settings(brood::Settings& settings) override {
    settings.text("greeting", greeting_, "What each connection begins with; empty: the client speaks first.");
  }

  void on_child_leaving() override { brood::test::log_leaving(); }

  Next handle_accepted(brood::Connection& connection) override {
    if (!greeting_.empty()) connection.write_all(greeting_ + '\n');
    return Next::more_input;
  }

  Next handle_readable(brood::Connection& connection) override {
    auto& session = connection.state<Session>();
    while (const auto line = connection.try_line()) {
      ++session.lines;
      if (!obey(connection, session, *line)) return Next::close;
    }
    return session.busy || session.lines == 0 ? Next::more_input : Next::request;
  }

  // False: the connection ends.
  static bool obey(brood::Connection& connection, Session& session, const std::string& line) {
    const auto command = brood::test::parse_command(line);
    brood::test::obey_common(connection, command);
    if (command.name == "answered") brood::test::answer(connection, std::to_string(session.lines));
    if (command.name == "busy" || command.name == "idle") {
      session.busy = command.name == "busy";
      brood::test::answer(connection, command.name);
    }
    if (command.name == "close") brood::test::answer(connection, "closing");
    return command.name != "close";
  }

  std::string greeting_;
};

}  // namespace

int main(int argc, char** argv) { return EventTestServer().run(argc, argv); }
