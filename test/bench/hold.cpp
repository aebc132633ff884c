// SPDX-License-Identifier: MIT
// A server that keeps each connection busy for a known time, for the bench: reads a line, shows it as its
// note, sleeps, answers with its pid. The line "hold 20" is held for 20 ms, and the answer is for how many
// nanoseconds it was. "crash" ends the child.
#include <unistd.h>

#include <brood/server.hpp>
#include <brood/settings.hpp>
#include <cstdlib>
#include <string>
#include <thread>

class Hold : public brood::Server {
  void add_settings(brood::Settings& settings) override {
    settings.duration("hold", hold_, std::chrono::milliseconds(0), std::chrono::hours(1),
                      "How long each connection is kept before it is answered.");
  }

  void handle_connection(brood::Connection& connection) override {
    const auto line = connection.read_line();
    if (!line) return;
    connection.note(*line);
    if (*line == "crash") std::abort();
    if (line->starts_with("hold "))
      return hold(connection, std::chrono::milliseconds(std::stoi(line->substr(5))));
    std::this_thread::sleep_for(hold_);
    connection.write_all(std::to_string(::getpid()) + "\n");
  }

  static void hold(brood::Connection& connection, std::chrono::milliseconds time) {
    const auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(time);
    const std::chrono::nanoseconds held = std::chrono::steady_clock::now() - begin;
    connection.write_all(std::to_string(held.count()) + "\n");
  }

  std::chrono::milliseconds hold_{1000};
};

int main(int argc, char** argv) { return Hold().run(argc, argv); }
