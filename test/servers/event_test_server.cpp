// SPDX-License-Identifier: MIT
// A test_server in an event loop. A line each:
//
//   echo TEXT   answers TEXT                        throw TEXT  a std::runtime_error
//   pid         answers the child's pid             note TEXT   sets the note, answers "noted"
//   thread      answers the thread's id             listener    answers the listener's name
//   hold MS     sleeps in the loop, answers "held"  spin        a busy loop without end
//   flood N     answers N bytes                     close       answers "closing", and the server closes
//   busy        the connection waits from now on for the rest of something, answers "busy"; "idle" ends that
//   stop        this_child::stop(), "stopping"       detach      this_child::detach(), answers "detached"
//   leaving     answers "yes" or "no"               answered    how many lines this connection has asked
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "brood/event_server.hpp"
#include "brood/settings.hpp"
#include "brood/this_child.hpp"

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

  void on_child_leaving() override {
    brood::log_info("test_server: child " + std::to_string(::getpid()) + " hears that it leaves");
  }

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
    const auto answer = [&](const std::string& text) { connection.write_all(text + '\n'); };
    const auto space = line.find(' ');
    const std::string command = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (command == "echo") answer(rest);
    if (command == "pid") answer(std::to_string(::getpid()));
    if (command == "thread") answer(std::to_string(::gettid()));
    if (command == "listener") answer(std::string(connection.listener()));
    if (command == "leaving") answer(connection.leaving() ? "yes" : "no");
    if (command == "answered") answer(std::to_string(session.lines));
    if (command == "throw") throw std::runtime_error(rest);
    if (command == "note") {
      connection.note(rest);
      answer("noted");
    }
    if (command == "hold") {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(rest)));
      answer("held");
    }
    if (command == "spin") spin();
    if (command == "stop") {
      brood::this_child::stop();
      answer("stopping");
    }
    if (command == "detach") answer(brood::this_child::detach() ? "detached" : "not detached");
    if (command == "flood") connection.write_all(std::string(std::stoul(rest), 'x'));
    if (command == "busy" || command == "idle") {
      session.busy = command == "busy";
      answer(command);
    }
    if (command == "close") answer("closing");
    return command != "close";
  }

  static void spin() {
    std::atomic<bool> go_on = true;
    while (go_on.load()) {
    }
  }

  std::string greeting_;
};

}  // namespace

int main(int argc, char** argv) { return EventTestServer().run(argc, argv); }
