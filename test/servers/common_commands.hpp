// SPDX-License-Identifier: MIT
// The commands that the test servers on Connection share, whatever runs their handlers. A line each:
//
//   echo TEXT   answers TEXT                         throw TEXT  a std::runtime_error
//   pid         answers the child's pid              note TEXT   sets the note, answers "noted"
//   thread      answers the thread's id              leaving     answers "yes" or "no"
//   hold MS     sleeps, then answers "held"          spin        a busy loop without end
//   stop        this_child::stop(), "stopping"       detach      this_child::detach(), answers "detached"
//   flood N     answers N bytes                      listener    answers the listener's name
//   fork        leaves a process that has the connection for ten minutes, answers its pid
//   client      answers what is known of the client
// and those of system_commands.hpp.
#pragma once

#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

#include "brood/connection.hpp"
#include "brood/log.hpp"
#include "brood/this_child.hpp"
#include "client_command.hpp"
#include "system_commands.hpp"

namespace brood::test {

struct TestCommand {
  std::string name, rest;
};

inline TestCommand parse_command(const std::string& line) {
  const auto space = line.find(' ');
  return {line.substr(0, space), space == std::string::npos ? "" : line.substr(space + 1)};
}

inline void answer(Connection& connection, const std::string& text) { connection.write_all(text + '\n'); }

inline void log_leaving() {
  log_info("test_server: child " + std::to_string(::getpid()) + " hears that it leaves");
}

[[noreturn]] inline void spin() {
  std::atomic<bool> go_on = true;
  for (;;) go_on.load();
}

inline pid_t leave_process() {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::this_thread::sleep_for(std::chrono::minutes(10));
  ::_exit(0);
}

// Does nothing for another command.
inline void obey_common(Connection& connection, const TestCommand& command) {
  const auto& [name, rest] = command;
  if (const auto of_system = system_answer(name, rest)) answer(connection, *of_system);
  if (name == "echo") answer(connection, rest);
  if (name == "pid") answer(connection, std::to_string(::getpid()));
  if (name == "thread") answer(connection, std::to_string(::gettid()));
  if (name == "listener") answer(connection, std::string(connection.listener()));
  if (name == "client") answer(connection, describe_client(connection));
  if (name == "leaving") answer(connection, connection.leaving() ? "yes" : "no");
  if (name == "fork") answer(connection, std::to_string(leave_process()));
  if (name == "throw") throw std::runtime_error(rest);
  if (name == "note") {
    connection.note(rest);
    answer(connection, "noted");
  }
  if (name == "hold") {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(rest)));
    answer(connection, "held");
  }
  if (name == "spin") spin();
  if (name == "stop") {
    this_child::stop();
    answer(connection, "stopping");
  }
  if (name == "detach") answer(connection, this_child::detach() ? "detached" : "not detached");
  if (name == "flood") connection.write_all(std::string(std::stoul(rest), 'x'));
}

}  // namespace brood::test
