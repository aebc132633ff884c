// SPDX-License-Identifier: MIT
// What every server is, whatever its child model: the program, its hooks, its settings. brood_server(3) shows
// in which order the hooks are called.
#pragma once

#include "brood/cxx20.hpp"

#include "brood/child.hpp"
#include "brood/child_model.hpp"
#include "brood/log.hpp"

namespace brood {

class Settings;  // brood/settings.hpp, for those who add some

class ServerBase {
 public:
  ServerBase() = default;
  ServerBase(const ServerBase&) = delete;
  ServerBase& operator=(const ServerBase&) = delete;
  virtual ~ServerBase() = default;

  // The whole program: reads settings, opens listeners, forks, serves until it is told to stop. Started by
  // the parent of a CommandServer with command-gets = slot: that parent's child, until it is told to leave.
  // Returns what
  // main() returns: 0 stopped as asked; 78 wrong settings; 70 or 71 could not go on. Reports errors itself.
  int run(int argc, char** argv);

  // A child: turns connections into work until child.accept() is empty or child.leaving(), then returns. For
  // a loop of your own; Server and its siblings have one each. An exception that leaves it ends the child
  // with exit code 70, or with that of the brood::Error.
  virtual void serve(Child& child) = 0;

  // What serve() needs of the kit. Asked once, before settings are read. For a loop of your own; by default
  // it serves one connection at a time.
  virtual ChildModel child_model() const { return {}; }
  // Whether handlers may run in several threads of a child at once. Without it threads-per-child must be 1.
  // How many there are is for the operator to say.
  virtual bool thread_safe() const { return false; }

  // Settings of your own, beside the kit's: on the command line, in the file, in --help.
  virtual void add_settings(Settings& /*settings*/) {}

  // In the parent, with its privileges: listeners are bound, no child was forked. What children share is
  // loaded here. An exception ends the server before it has started. In an upgrade (SIGUSR2) children of the
  // former program serve meanwhile, and an exception leads back to it: what is opened here should be
  // close-on-exec. In a program that another parent has started to be its child: in each such process,
  // without privileges, before on_child_start() and with its errors.
  virtual void on_parent_start() {}
  // In the parent, with its privileges, after SIGHUP: the new settings are in force, no child of the new
  // generation was forked. An exception is logged; the server goes on.
  virtual void on_reload() {}
  // In each child, without privileges, before its first connection. An exception ends the child with exit
  // code 71, or with that of the brood::Error: the parent starts the next one ever later, and after 78 none.
  virtual void on_child_start() {}
  // In each child, without privileges, once when it leaves: told to by the parent, or by this_child. Nothing
  // more is accepted, and what is in hand goes on meanwhile, in other threads or after this returns. For a
  // handler that has its child to itself it comes after the last connection, as a handler is not cut short.
  // In one of the threads that call handlers, and never in a signal handler. An exception is logged. Not
  // called where the child is killed. The operator's leave-timeout ends what takes too long.
  virtual void on_child_leaving() {}
  // In each child that leaves as asked, after its last connection. Not called where the child is killed or
  // crashes. An exception is logged, and the child counts as one that has failed.
  virtual void on_child_exit() {}
};

}  // namespace brood
