// SPDX-License-Identifier: MIT
// The socket by which the parent is given orders: a unix socket beside the scoreboard, for root and the
// parent's own user. It carries requests and answers, and does not know what they mean. It never waits for a
// client: one that is slow to ask or to read the answer is dropped.
//
// One request a connection; each line is a wire record (base/wire_record.hpp):
//
//   client  reload service=imap
//   parent  service name=imap state=running generation=4 children=16 gone=16 …
//   parent  done code=0 message=
//
// The answer comes when the outcome is known. Its last line is `done`: code 0, or a code of <sysexits.h> and
// a message that says what is wrong. The lines before it depend on the order (orders.hpp). Then the parent
// closes the connection. A client that closes it earlier does not cancel its order.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/control_protocol.hpp"
#include "base/wire_record.hpp"
#include "brood/descriptor.hpp"
#include "listen/socket_path.hpp"
#include "parent/answer.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

class ControlSocket {
 public:
  using Client = std::uint64_t;  // no number is used twice
  struct Request {
    Client client;
    std::string from;  // "user 0, process 4711": for the log
    WireRecord record;
  };

  ControlSocket() = default;  // none
  // Replaces what a killed parent has left at `path`. Throws SystemError or Error.
  explicit ControlSocket(const std::string& path);
  // The socket that a former program of this process had there, with the clients in its queue.
  ControlSocket(const std::string& path, Descriptor listener, const HandedOverControl& left);
  HandedOverControl hand_over() const;

  bool is_open() const { return static_cast<bool>(listener_); }
  // Its path has another file, or none.
  bool lost() const { return path_.lost(); }
  // Takes the place of one that is lost, with its clients.
  void take_clients(ControlSocket& from);

  // For poll(); then the requests that have come. Drops clients that are late.
  void add_watched(std::vector<pollfd>& to) const;
  std::vector<Request> receive(const std::vector<pollfd>& events, Time now);
  Time deadline() const;  // when the next one is late

  bool is_there(Client client) const;
  void answer(Client client, const Answer& answer);  // its last record is `done`

  // ---- a client that waits for its answer over an exec()
  int descriptor(Client client) const;  // of one that is there
  Client take_over(Descriptor socket);

  void forget();  // in a child: closes all, removes nothing

 private:
  struct Peer {
    Client id;
    std::string from;
    Descriptor socket;  // none: the client has gone
    std::string request, answer;
    bool asked = false;
    Time deadline = never;
  };

  void accept_some(Time now);
  void receive(Peer& peer, std::vector<Request>& requests);
  void answer(Peer& peer, const Answer& answer);
  static void send(Peer& peer);

  Descriptor listener_;
  SocketPath path_;
  std::vector<Peer> peers_;
  Client last_ = 0;
  Time accepts_again_ = Time::min();  // after accept() has failed
};

}  // namespace brood
