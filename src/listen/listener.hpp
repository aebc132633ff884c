// SPDX-License-Identifier: MIT
// Where work arrives: a socket, a timer or a FIFO, opened or inherited by the parent, shared by the children,
// and closed without losing what is in its queue.
#pragma once

#include <poll.h>

#include <string>
#include <vector>

#include "base/address.hpp"
#include "brood/descriptor.hpp"
#include "listen/child_listener.hpp"
#include "listen/socket_path.hpp"

namespace brood {

// What of a listener outlives the program that opened it.
struct HandedOverListener {
  ListenSpec spec;
  int descriptor = -1;
  bool drained = false;  // it is being closed
  bool named = false;    // its path is still ours:
  dev_t device = 0;
  ino_t inode = 0;

  // Whether `wanted` is this one, or could be again.
  bool serves(const ListenSpec& wanted) const;
};

// What poll() tells of one that a process that shares it has ended, with shutdown(): it is ready forever
// then, and brings nothing.
inline bool tells_end(const pollfd& event) { return (event.revents & (POLLHUP | POLLRDHUP)) != 0; }

class Listener {
 public:
  // Opens what `spec` names: several listeners where a host name has several addresses. Port 0 takes a free
  // port (one and the same for all addresses of the name). Throws SystemError or ConfigurationError.
  static std::vector<Listener> open(const ListenSpec& spec, int backlog);

  // One that was opened before exec(), as it was.
  Listener(Descriptor socket, const HandedOverListener& former);
  HandedOverListener hand_over() const;  // but for `drained`

  int descriptor() const { return socket_.get(); }
  const std::string& address() const { return address_; }  // "127.0.0.1:40001": what was bound
  WorkKind brings() const { return brings_; }
  ChildListener of_a_child() const;
  // Whether `spec` names the place where this one listens, and what else it says of it.
  bool is_of(const ListenSpec& spec) const { return same_place(spec_, spec); }
  void take_options(const ListenSpec& spec);
  bool inherited() const { return spec_.kind == ListenSpec::Kind::inherited; }

  // Connections that wait to be accepted; 1 for "some" where others can't be counted.
  unsigned backlog() const;

  // The first step of closing without loss: from now on nobody new gets into the queue; who is in it, or on
  // the way into it, still does. A TCP listener gets a filter that drops SYN segments (needs CAP_NET_ADMIN),
  // a UDP one a filter that drops everything; unix sockets and FIFOs lose their name; a timer is stopped.
  // False: not possible here, and newcomers keep arriving until close().
  bool refuse_newcomers();
  // Takes that back, where that can be: what has lost its name has to be bound anew.
  bool can_come_back() const { return !spec_.has_path(); }
  void welcome_newcomers();
  // The last step. Ends the queue for all processes that share the socket, and resets what is left in it;
  // returns how many those were. An inherited listener is only let go: its queue belongs to others too.
  unsigned close();
  bool ended() const;  // as tells_end()
  // Listens anew at the same place. Throws SystemError or ConfigurationError, and then it is closed.
  void revive(int backlog);
  void forget() { socket_.reset(); }  // in a process to which it is nothing: it goes on elsewhere

 private:
  Listener(Descriptor socket, const ListenSpec& spec);
  static std::vector<Listener> open_inet(const ListenSpec& spec, int backlog);

  Descriptor socket_;  // or timer, or FIFO
  ListenSpec spec_;
  WorkKind brings_;
  std::string name_, address_;
  SocketPath path_;  // of a unix listener or a FIFO
};

}  // namespace brood
