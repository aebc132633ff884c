// SPDX-License-Identifier: MIT
// A server whose children serve many connections each, on an event loop (a reactor). Derive, and override
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
// A connection that waits needs no thread and no process. With threads-per-child, which the program permits
// by thread_safe(), handlers of different connections run at the same time; those of one connection never do.
#pragma once

#include "brood/cxx20.hpp"

#include "brood/server_base.hpp"

namespace brood {

// What the connection waits for after the handler has returned.
enum class Next {
  more_input,  // the rest of a request, or the first request
  request,     // the next request, if any: a child that leaves closes the connection if none comes
  close,       // nothing: the connection is closed when all that was written has been sent
};

class EventServer : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.many_connections = true, .threads = true}; }

 protected:
  using Next = brood::Next;

  // Called in a child, without privileges, when input or its end has come, or when what was written before
  // has been sent. Read what there is without waiting (try_read, try_line), and answer. This is not called
  // again before the answer has been sent, so that a peer which does not read can't fill the memory. After
  // the peer's end the connection is closed, whatever this returns. An exception ends the connection, which
  // is logged and counted as failed; it does not end the child.
  virtual Next handle_readable(Connection& connection) = 0;

  // The same for a connection that was just accepted, for servers that send first.
  virtual Next handle_accepted(Connection& /*connection*/) { return Next::more_input; }
};

}  // namespace brood
