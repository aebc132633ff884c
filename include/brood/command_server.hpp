// SPDX-License-Identifier: MIT
// A service whose children run a program, in any language.
//
//   int main(int argc, char** argv) { return brood::CommandServer().run(argc, argv); }
//
// It has two settings besides those of the kit. `command` is the absolute path of the program, with its
// arguments. `command-gets` is what the program is given:
//
//   slot        a child's slot: the program is built with the kit, and serves as any child
//   listeners   the listeners, as systemd passes them (LISTEN_FDS); start-servers processes of it run
//   connection  one connection, as standard input and output: children accept, and run it for each
//
// brood_models(7) says which of them to choose.
#pragma once

#include "brood/cxx20.hpp"

#include "brood/descriptor.hpp"
#include "brood/server.hpp"

namespace brood {

struct ServiceCommand;

class CommandServer final : public Server {
 public:
  CommandServer() = default;
  // For the kit: in a child, for command-gets = connection. `command` outlives it. `output`: where programs
  // write errors to, which it then owns; -1: as the child.
  CommandServer(const ServiceCommand& command, std::string service, int output);

  ChildModel child_model() const override {
    return {.work = WorkKind::any, .many_connections = true, .threads = true, .command = true};
  }
  bool thread_safe() const override { return true; }  // a program that takes a slot is asked itself

 private:
  void on_child_start() override;
  void handle_connection(Connection& connection) override;

  const ServiceCommand* command_ = nullptr;
  std::string service_;
  Descriptor output_;
};

}  // namespace brood
