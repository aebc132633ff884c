// SPDX-License-Identifier: MIT
// A test_server whose handlers may run in several threads. A line each:
//
//   echo TEXT   answers TEXT                     throw TEXT  a std::runtime_error
//   pid         answers the child's pid          note TEXT   sets the note, answers "noted"
//   thread      answers the thread's id          leaving     answers "yes" or "no"
//   hold MS     sleeps, then answers "held"      spin        a busy loop without end
//   stop        this_child::stop(), "stopping"   detach      this_child::detach(), answers "detached"
//   flood N     answers N bytes, and ends        bye         answers "bye" and ends the connection
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "brood/error.hpp"
#include "brood/server.hpp"
#include "brood/settings.hpp"
#include "brood/this_child.hpp"

namespace {

class ThreadTestServer : public brood::Server {
  bool thread_safe() const override { return true; }

  void add_settings(brood::Settings& settings) override {
    settings.number("child-memory", child_memory_, 0, 1'000'000,
                    "How many MiB of address space each child may add to what it has; 0: no limit.");
  }

  void on_child_start() override {
    if (child_memory_ == 0) return;
    unsigned long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t now = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
    const rlimit limit{now + (static_cast<rlim_t>(child_memory_) << 20U), RLIM_INFINITY};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) throw brood::SystemError("setrlimit", errno);
  }

  void on_child_leaving() override {
    brood::log_info("test_server: child " + std::to_string(::getpid()) + " hears that it leaves");
  }

  void handle_connection(brood::Connection& connection) override {
    while (const auto line = connection.read_line())
      if (!obey(connection, *line)) return;
  }

  // False: the connection ends.
  static bool obey(brood::Connection& connection, const std::string& line) {
    const auto answer = [&](const std::string& text) { connection.write_all(text + '\n'); };
    const auto space = line.find(' ');
    const std::string command = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (command == "echo") answer(rest);
    if (command == "pid") answer(std::to_string(::getpid()));
    if (command == "thread") answer(std::to_string(::gettid()));
    if (command == "leaving") answer(connection.leaving() ? "yes" : "no");
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
    if (command == "flood") {
      connection.write_all(std::string(std::stoul(rest), 'x'));
      return false;
    }
    if (command == "bye") answer("bye");
    return command != "bye";
  }

  static void spin() {
    std::atomic<bool> go_on = true;
    while (go_on.load()) {
    }
  }

  unsigned child_memory_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return ThreadTestServer().run(argc, argv); }
