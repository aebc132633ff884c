// SPDX-License-Identifier: MIT
// A server whose children serve many connections each, from an event loop (a reactor). Derive, and override
// handle_readable():
//
//   class Echo : public brood::EventServer {
//     Next handle_readable(brood::Connection& connection) override {
//       char buffer[4096];
//       if (const auto size = connection.try_read(buffer)) connection.write_all({buffer, *size});
//       return Next::request;
//     }
//   };
//
// A connection that waits costs no thread and no process. With threads-per-child (the program says
// thread_safe()) handlers of different connections run at once; those of one connection never do.
#pragma once

#include "brood/server_base.hpp"

namespace brood {

// What a handler wants to happen with its connection.
enum class Next {
  more_input,  // for the rest of a request, or for the first one
  request,     // for the next request, if any: a child that leaves closes it when none comes
  close,       // when what was written has been sent
};

class EventServer : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.many_connections = true, .threads = true}; }

 protected:
  using Next = brood::Next;

  // In a child, without privileges. Input has come, or its end, or what was written before has been sent:
  // read without waiting (try_read, try_line) what there is, and answer. What a peer doesn't read can't fill
  // the memory: this is not called again before it has been sent. After the peer's end the connection is
  // closed, whatever is returned. An exception ends the connection, is logged and counted as failed, and
  // never ends the child.
  virtual Next handle_readable(Connection& connection) = 0;

  // The same for a connection that has just been accepted, for servers that speak first.
  virtual Next handle_accepted(Connection& /*connection*/) { return Next::more_input; }
};

}  // namespace brood
