// SPDX-License-Identifier: MIT
// A server whose handlers wait for something else, 5 ms each, for the bench: reads a line, sleeps, answers.
// In one thread or several.
#include <brood/server.hpp>
#include <thread>

class Sleeper : public brood::Server {
  bool thread_safe() const override { return true; }

  void handle_connection(brood::Connection& connection) override {
    const auto line = connection.read_line();
    if (!line) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    connection.write_all(*line + "\n");
  }
};

int main(int argc, char** argv) { return Sleeper().run(argc, argv); }
