// SPDX-License-Identifier: MIT
// A service whose children are a program: any one, in any language.
//
//   int main(int argc, char** argv) { return brood::CommandServer().run(argc, argv); }
//
// Beside the kit's settings it has two. `command` is the program, by its absolute path, with its arguments.
// `command-gets` says what it is given:
//
//   slot        it is built with the kit, and takes a child's slot: a child like any other
//   listeners   the listeners, as systemd hands them on (LISTEN_FDS): start-servers processes of it run
//   connection  one connection, as standard input and output: children accept, and run it for each
//
// brood_models(7) says when to take which.
#pragma once

#include "brood/server_base.hpp"

namespace brood {

class CommandServer final : public ServerBase {
 public:
  // Never called: what serves is the program.
  void serve(Child& child) override;
  ChildModel child_model() const override {
    return {.work = WorkKind::any, .many_connections = true, .threads = true, .command = true};
  }
  bool thread_safe() const override { return true; }  // of a slot's program it is asked there
};

}  // namespace brood
