// SPDX-License-Identifier: MIT
// The seam between a child and its child model: all that a model may know of the parent and the scoreboard. A
// model is a loop over it; slots, locks, signals, caps and recycling are behind it. In a child; any thread.
//
// A child is a spare, and gets more, as long as it has fewer connections in hand than limits().connections.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "brood/child_model.hpp"
#include "brood/connection.hpp"

namespace brood {

enum class Outcome {
  served,  // the handler returned
  failed,  // the handler ended by an exception
};

// The settings that a model has to do with.
struct ChildLimits {
  unsigned threads = 1;                             // that call accept() or take()
  unsigned connections = 1;                         // in hand at once
  std::chrono::milliseconds connection_timeout{0};  // 0: no limit
  std::chrono::milliseconds idle_timeout{0};        // of a connection; 0: no limit
};

// A listener that carries no connections.
struct Source {
  int descriptor;                      // as it is, blocking or not
  std::string_view listener;           // its name in the configuration, or its address
  std::optional<TriggerKind> trigger;  // empty: it brings datagrams
};

// Reads from such a listener.
class Receiver {
 public:
  // Tries to get something. False with errno: it got nothing. `peer` is who sent it, where that can be told.
  virtual bool try_receive(const Source& source, sockaddr_storage& peer) = 0;

 protected:
  ~Receiver() = default;
};

class Child {
 public:
  virtual const ChildLimits& limits() const = 0;

  // Waits for a connection. Empty: time to leave, and from then on always empty. It counts as in hand until
  // it is given to finished().
  virtual std::optional<Connection> accept() = 0;
  // The connection ended: closes it, writes its figures down, and makes room for the next one.
  virtual void finished(Connection connection, Outcome outcome) = 0;

  // For listeners that carry no connections: waits until `receiver` got something from one of them. Empty:
  // time to leave. It counts as in hand, and as a connection in every figure, until it is given to done().
  virtual std::optional<ConnectionId> receive(Receiver& receiver) = 0;
  virtual void finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                        std::uint64_t bytes_written) = 0;
  virtual void note(ConnectionId id, std::string_view text) = 0;

  virtual bool leaving() const = 0;

  // ---- For models with an event loop of their own. From the first of these calls on the child no longer
  // waits in accept() or take().

  // A connection whose socket doesn't block, or empty where there is none now, no room for one, or (once
  // leaving() is true) none any more. Call it until it is empty when the listeners are ready.
  virtual std::optional<Connection> try_accept() = 0;
  // Has an epoll set of the model's watch the listeners; what it reports for them has `data`. One child of
  // all that wait is woken for a connection (EPOLLEXCLUSIVE). Not watched while there is no room.
  virtual void watch_listeners(int epoll, std::uint64_t data) = 0;
  // For other loops, to be waited on and nothing else: readable when listeners are ready. All waiting
  // children are woken for a connection. Instead of watch_listeners().
  virtual int listener_fd() = 0;
  virtual int leave_fd() = 0;  // readable: leaving() is true now. To be waited on, and nothing else

 protected:
  ~Child() = default;
};

}  // namespace brood
