// SPDX-License-Identifier: MIT
// The parent of a service whose children run a program; with MIXED, also of a service with code of its own.
#include "brood/command_server.hpp"
#include "brood/program.hpp"
#include "brood/server.hpp"

#ifdef MIXED
namespace {

class Echo : public brood::Server {
  void handle_connection(brood::Connection& connection) override {
    while (const auto line = connection.read_line()) connection.write_all(*line + '\n');
  }
};

}  // namespace

int main(int argc, char** argv) {
  Echo echo;
  brood::CommandServer command;
  brood::Program program;
  program.add("echo", echo);
  program.add("command", command);
  return program.run(argc, argv);
}
#else
int main(int argc, char** argv) { return brood::CommandServer().run(argc, argv); }
#endif
