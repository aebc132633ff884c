// SPDX-License-Identifier: MIT
// What a child model sees of the parent and the scoreboard. A model is a loop over a Child; slots, locks,
// signals, caps and recycling are behind it. In a child; any thread.
//
// While a child has fewer open connections than limits().connections, it is a spare and gets more.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "brood/child_model.hpp"
#include "brood/connection.hpp"

namespace brood {

// The settings that concern a model's loop.
struct ChildLimits {
  unsigned threads = 1;                             // that may call accept() or receive() at once
  unsigned connections = 1;                         // that may be open at once
  std::chrono::milliseconds connection_timeout{0};  // from accept to close; 0: no limit
  std::chrono::milliseconds idle_timeout{0};        // of one connection; 0: no limit
  std::chrono::milliseconds first_byte_timeout{0};  // from accept until the peer has sent something; 0: none
};

// A listener that carries no connections.
struct Source {
  int descriptor;                      // may block or not; not owned
  std::string_view listener;           // its name in the configuration, or its address
  std::optional<TriggerKind> trigger;  // empty: it brings datagrams
};

// Reads from such a listener.
class Receiver {
 public:
  // Tries to get something. False, with errno: there was nothing. Stores the sender in `peer` if it is known.
  virtual bool try_receive(const Source& source, sockaddr_storage& peer) = 0;

 protected:
  ~Receiver() = default;
};

class Child {
 public:
  virtual const ChildLimits& limits() const = 0;

  // Waits for a connection. Empty: it is time to leave, and every later call is empty, too. The connection
  // counts as open until it is given to finished(). Throws SystemError if a listener fails.
  virtual std::optional<Connection> accept() = 0;
  // Closes the connection, adds its figures to the scoreboard, and makes room for the next one.
  virtual void finished(Connection connection, Outcome outcome) = 0;

  // For listeners that carry no connections: waits until `receiver` gets something from one of them. Empty:
  // it is time to leave. What was received counts as an open connection, in every figure, until its id is
  // given to the other finished().
  virtual std::optional<ConnectionId> receive(Receiver& receiver) = 0;
  virtual void finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                        std::uint64_t bytes_written) = 0;
  virtual void note(ConnectionId id, std::string_view text) = 0;  // as Connection::note()

  virtual bool leaving() const = 0;  // the child was told to leave

  // ---- For models with an event loop. After the first of these calls, the child no longer waits in accept()
  // or receive().

  // A connection whose socket does not block. Empty: there is none now, or no room for one, or (if leaving()
  // is true) there are no more. If the listeners are ready, call it until it is empty.
  virtual std::optional<Connection> try_accept() = 0;
  // Adds the listeners to an epoll set of the model, which reports them with `data`. A connection wakes one
  // of the waiting children, and one of its threads (EPOLLEXCLUSIVE). The listeners are not watched while the
  // child has no room.
  virtual void watch_listeners(int epoll, std::uint64_t data) = 0;
  // For other loops, instead of watch_listeners(): a descriptor that is readable when the listeners are
  // ready. A connection wakes all waiting children. It may only be waited on.
  virtual int listener_fd() = 0;
  // A descriptor that is readable when leaving() is true. Then call try_accept() until it is empty, finish
  // the open connections, and return from serve(). It may only be waited on.
  virtual int leave_fd() = 0;
  // How many connections were accepted at listeners with `proxy` and have not begun, because their PROXY
  // header has not come. They are open, and try_accept() returns each one when it begins, also while the
  // child leaves: then the loop goes on, and watches the listeners, until this is 0.
  virtual unsigned beginning() const = 0;
  // Clients wait, and no child has room. While this is so, the child wakes as if its listeners were ready,
  // once a second at least. Then the connection that has been silent for longest is to end if patience() says
  // so.
  virtual bool overloaded() const { return false; }
  // As ConnectionHost::patience().
  virtual std::chrono::nanoseconds patience(std::chrono::nanoseconds /*waited*/, std::uint64_t /*bytes*/) {
    return ConnectionHost::no_limit;
  }

 protected:
  ~Child() = default;
};

}  // namespace brood
