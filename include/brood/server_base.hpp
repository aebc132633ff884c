// SPDX-License-Identifier: MIT
// The base of every server, whatever its child model: the program, its hooks, its settings. brood_server(3)
// shows in which order the hooks are called.
#pragma once

#include "brood/cxx20.hpp"

#include <string>

#include "brood/child.hpp"
#include "brood/child_model.hpp"
#include "brood/ended.hpp"
#include "brood/log.hpp"

namespace brood {

class Counters;  // brood/counters.hpp
class Settings;  // brood/settings.hpp

class ServerBase {
 public:
  ServerBase() = default;
  ServerBase(const ServerBase&) = delete;
  ServerBase& operator=(const ServerBase&) = delete;
  virtual ~ServerBase() = default;

  // The whole program: reads the settings, opens the listeners, forks the children, and serves until it is
  // told to stop. If the parent of a CommandServer with command-gets = slot started it, it serves as a child
  // of that parent until it is told to leave. Returns the exit code: 0 stopped as ordered; 78 wrong settings;
  // 70 or 71 could not go on. Reports errors itself.
  int run(int argc, char** argv);

  // In each child, as its user: the loop of the child model. Returns when child.accept() is empty, or when
  // child.leaving() is true and the open connections are finished. Server and the other models override it;
  // override it for a loop of your own. An exception ends the child with exit code 70, or with the code of
  // the brood::Error.
  virtual void serve(Child& child) = 0;

  // In the parent, before the settings are read: what serve() needs from the kit. By default, a child serves
  // one connection at a time.
  virtual ChildModel child_model() const { return {}; }
  // In the parent, before the settings are read: whether handlers may run in several threads of a child at
  // once. If not, threads-per-child must be 1. The operator chooses the number of threads.
  virtual bool thread_safe() const { return false; }

  // In the parent, before the settings are read: adds settings of your own to those of the kit. They are on
  // the command line, in the file and in --help.
  virtual void add_settings(Settings& /*settings*/) {}

  // In the parent, once, and in each child: names the server's own counters and gauges, in the same order
  // each time.
  virtual void add_counters(Counters& /*counters*/) {}

  // What --version prints behind the name of the program. By default, the version of the kit. A Program has
  // one of its own.
  virtual std::string version() const { return {}; }

  // In the parent, after settings were read: checks the server's own settings together. Its variables have
  // the new values while this runs; those in force come back, until all settings are accepted. An exception
  // is a mistake in the settings: at the start, in a reload, and for --test-config. Changes nothing.
  virtual void check_settings() {}

  // In the parent, with its privileges: loads what all children share. The settings are in force, the
  // listeners are open, and no child was forked yet. An exception ends the server before it has started. In
  // an upgrade (SIGUSR2) the children of the former program serve while this runs, and an exception returns
  // control to that program; open files with close-on-exec. In a program that another parent has started as
  // its child, this is called in each such process, without privileges, before on_child_start(); an exception
  // has the same effect as one of on_child_start().
  virtual void on_parent_start() {}
  // In the parent, with its privileges, after SIGHUP, and when the service starts again by an order: the new
  // settings are in force, and no child of the new generation was forked yet. An exception is logged, and the
  // server goes on.
  virtual void on_reload() {}
  // In each child, with the privileges of the parent, before it becomes the user: opens what the user may not
  // open. An exception has the same effect as one of on_child_start(). For a child that is a program of its
  // own, this is called in the forked process, before the program is executed.
  virtual void on_child_privileged() {}
  // In each child, without privileges, before its first connection. An exception ends the child with exit
  // code 71, or with the code of the brood::Error. The parent waits longer and longer before it starts the
  // next child; after code 78 it starts none.
  virtual void on_child_start() {}
  // In each child, without privileges, once when it leaves, whether the parent or this_child ordered it. The
  // child accepts no more connections, and its open connections go on: in other threads, or after this
  // returns. A handler that has its child to itself is not interrupted: this runs after its connection. It
  // runs in a thread that calls handlers, never in a signal handler. An exception is logged. Not called if
  // the child is killed or crashes. The setting leave-timeout limits it.
  virtual void on_child_leaving() {}
  // In a child, when a connection, a datagram or a trigger was served: it is closed, and still counts as
  // open. With threads-per-child, several threads call this at once. An exception is logged. Not called for
  // what was open when its child was killed or crashed.
  virtual void on_connection_end(const Ended& /*ended*/) {}
  // In each child that leaves as ordered, after its last connection. Not called if the child is killed or
  // crashes. An exception is logged, and the child counts as failed.
  virtual void on_child_exit() {}
};

}  // namespace brood
