// SPDX-License-Identifier: MIT
// A listener: a socket, a timer or a FIFO, where work arrives. The parent opens or inherits it, and all
// children share it.
#pragma once

#include <poll.h>

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "brood/descriptor.hpp"
#include "listen/child_listener.hpp"
#include "listen/listen_socket.hpp"
#include "listen/socket_path.hpp"

namespace brood {

// The state of a listener that is handed over in an upgrade.
struct HandedOverListener {
  ListenSpec spec;
  int descriptor = -1;
  bool drained = false;  // it is being closed
  bool named = false;    // it has a path in the file system, with this device and inode
  dev_t device = 0;
  ino_t inode = 0;

  // Whether this listener can be used for `wanted`.
  bool serves(const ListenSpec& wanted) const;
};

// Whether poll() reports that another process has called shutdown() on the shared socket. Then it is always
// ready, and no more work arrives.
inline bool tells_end(const pollfd& event) { return (event.revents & (POLLHUP | POLLRDHUP)) != 0; }

class Listener {
 public:
  // A host name with several addresses becomes several listeners. Port 0 chooses a free port, the same for
  // all addresses of the name. Throws SystemError or ConfigurationError.
  static std::vector<Listener> open(const ListenSpec& spec, int backlog, PortUse use = PortUse::alone);

  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();
  // It serves: from here on an inherited one is closed with it. Before, it is given back.
  void keep() { lent_ = false; }

  // A listener that the former program has handed over.
  Listener(Descriptor socket, const HandedOverListener& former);
  HandedOverListener hand_over() const;  // `drained` is not set

  int descriptor() const { return socket_.get(); }
  const std::string& address() const { return address_; }  // "127.0.0.1:40001", as it was bound
  WorkKind brings() const { return brings_; }
  ChildListener of_a_child() const;
  // Whether `spec` has the same address. Its options may differ, and can then be applied.
  bool is_of(const ListenSpec& spec) const { return same_place(spec_, spec); }
  void take_options(const ListenSpec& spec);
  const ListenSpec& spec() const { return spec_; }
  // Its path has another file, or none: nobody can connect, or another server is connected to.
  bool lost_path() const { return path_.lost(); }
  bool inherited() const { return spec_.kind == ListenSpec::Kind::inherited; }

  // As count_backlog().
  unsigned backlog() const;

  // The first step of closing without loss: keeps new connections out of the queue. Handshakes that have
  // begun can complete. A TCP listener gets a filter that drops SYN segments (this needs CAP_NET_ADMIN), a
  // UDP socket a filter that drops everything; unix sockets and FIFOs lose their path; a timer is stopped.
  // False: not possible; new connections arrive until close().
  bool stop_arrivals();
  // Reverses it, if possible: a listener that has lost its path must be opened again instead.
  bool can_come_back() const { return !spec_.has_path(); }
  void resume_arrivals();
  // The last step: shuts the socket down for all processes that share it, which resets the connections that
  // are left in the queue, and returns their number. An inherited listener is only closed: other programs may
  // use its queue.
  unsigned close();
  bool ended() const;  // as tells_end(), now
  // Opens it again at the same address. If it throws SystemError or ConfigurationError, the listener is
  // closed.
  void revive(int backlog);
  void forget() { socket_.reset(); }  // closes the descriptor in a process that does not use it

 private:
  Listener(Descriptor socket, const ListenSpec& spec);
  static std::vector<Listener> open_inet(const ListenSpec& spec, int backlog, PortUse use);

  Descriptor socket_;  // or timer, or FIFO
  ListenSpec spec_;
  WorkKind brings_;
  std::string name_, address_;
  std::optional<SocketOptions> options_ = SocketOptions();  // that it has; empty: the former program's
  SocketPath path_;                                         // of a unix socket or a FIFO
  bool lent_ = false;
};

}  // namespace brood
