// SPDX-License-Identifier: MIT
// A test_server on an event loop. A line each:
//
//   the commands of common_commands.hpp
//   close       answers "closing", and the server closes
//   busy        the connection waits from now on for the rest of a request, answers "busy"; "idle" ends that
//   ticks       answers how often the child's timer has run; see --tick
//   timer N     sets the timer of the connection to N milliseconds, which then answers "time"
//   one         takes one line a call from now on, answers "one"
//   answered    how many lines this connection has sent
#include <atomic>
#include <chrono>
#include <string>

#include "brood/event_server.hpp"
#include "brood/settings.hpp"
#include "common_commands.hpp"

namespace {

class EventTestServer : public brood::EventServer {
  struct Session {
    bool busy = false;
    bool one_a_call = false;
    unsigned lines = 0;
  };

  bool thread_safe() const override { return true; }

  void add_settings(brood::Settings& settings) override {
    settings.text("greeting", greeting_, "What each connection begins with; empty: the client speaks first.");
    settings.flag("tick", tick_, "A timer in each child.");
    settings.flag("post-in-parent", post_in_parent_, "What is a mistake.");
  }

  void on_parent_start() override {
    if (post_in_parent_) post([] {});
  }

  void on_child_start() override {
    if (tick_) call_every(std::chrono::milliseconds(2), [this] { ++ticks_; });
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
      if (session.one_a_call) break;
    }
    return session.busy || session.lines == 0 ? Next::more_input : Next::request;
  }

  Next handle_timer(brood::Connection& connection) override {
    brood::test::answer(connection, "time");
    return Next::request;
  }

  // False: the connection ends.
  bool obey(brood::Connection& connection, Session& session, const std::string& line) {
    const auto command = brood::test::parse_command(line);
    brood::test::obey_common(connection, command);
    if (command.name == "answered") brood::test::answer(connection, std::to_string(session.lines));
    if (command.name == "busy" || command.name == "idle") {
      session.busy = command.name == "busy";
      brood::test::answer(connection, command.name);
    }
    if (command.name == "ticks") brood::test::answer(connection, std::to_string(ticks_));
    if (command.name == "timer") set_timer(connection, std::chrono::milliseconds(std::stoi(command.rest)));
    if (command.name == "one") {
      session.one_a_call = true;
      brood::test::answer(connection, command.name);
    }
    if (command.name == "close") brood::test::answer(connection, "closing");
    return command.name != "close";
  }

  std::string greeting_;
  bool tick_ = false;
  bool post_in_parent_ = false;
  std::atomic<unsigned> ticks_ = 0;  // of this child
};

}  // namespace

int main(int argc, char** argv) { return EventTestServer().run(argc, argv); }
