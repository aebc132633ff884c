// SPDX-License-Identifier: MIT
// The seam between a child and its child model: all that a model may know of the parent and the scoreboard. A
// model is a loop over it; slots, locks, signals, caps and recycling are behind it. In a child; one thread.
#pragma once

#include <optional>

#include "brood/connection.hpp"

namespace brood {

enum class Outcome {
  served,  // the handler returned
  failed,  // the handler ended by an exception
};

class Child {
 public:
  // Waits for a connection. Empty: time to leave, and from then on always empty. The child counts as busy
  // until the connection is handed to finished().
  virtual std::optional<Connection> accept() = 0;
  // The same without waiting; empty also where there is none now.
  virtual std::optional<Connection> try_accept() = 0;
  // The connection ended: closes it, writes its figures down, and offers the child for the next one.
  virtual void finished(Connection connection, Outcome outcome) = 0;

  // For models with an event loop of their own, both for reading only:
  virtual int listener_fd() = 0;  // readable: try_accept() may succeed
  virtual int leave_fd() = 0;     // readable: leaving() is true now
  virtual bool leaving() const = 0;

 protected:
  ~Child() = default;
};

}  // namespace brood
