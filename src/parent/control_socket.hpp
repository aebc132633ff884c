// SPDX-License-Identifier: MIT
// Where the parent is given orders: a unix socket beside the scoreboard, for root and the parent's own user
// alone. Carries requests and answers, and knows nothing of what they mean. It never waits for a client: who
// is slow to ask, or to read the answer, is dropped.
//
// One request a connection; each line is a record (record.hpp):
//
//   client  reload service=imap
//   parent  service name=imap state=running generation=4 children=16 gone=16 …
//   parent  done code=0 message=
//
// The answer comes when the outcome is known. Its last line is `done`: code 0, or one of <sysexits.h> with a
// message that says in words what is wrong. Lines before it are told with their verbs (verbs.hpp). Next the
// parent closes. A client that closes earlier takes back no order that it has given.
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
#include "upgrade/handed_over.hpp"

namespace brood {

using Answer = std::vector<WireRecord>;
WireRecord done(int code, std::string_view message);

class ControlSocket {
 public:
  using Client = std::uint64_t;  // none is given twice
  struct Request {
    Client client;
    std::string from;  // "user 0, process 4711": for the log
    WireRecord record;
  };

  ControlSocket() = default;  // none: nobody asks
  // Takes the place of what a killed parent has left at `path`. Throws SystemError or Error.
  explicit ControlSocket(const std::string& path);
  // The one that a former program of this process had there: who is in its queue is answered by this one.
  ControlSocket(const std::string& path, Descriptor listener, const HandedOverControl& left);
  HandedOverControl hand_over() const;

  // What poll() is to look at; when it has, what was asked. Drops who is late.
  void add_watched(std::vector<pollfd>& to) const;
  std::vector<Request> take(const std::vector<pollfd>& events, Time now);
  Time deadline() const;  // when the next one is late

  bool is_there(Client client) const;
  void answer(Client client, const Answer& answer);  // its last record is `done`

  // One that has asked, and crosses an exec().
  int descriptor(Client client) const;  // it is there
  Client take_over(Descriptor socket);

  void forget();  // in a child: closes all, removes nothing

 private:
  struct Peer {
    Client id;
    std::string from;
    Descriptor socket;  // none: it is gone
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
  Time accepts_again_ = Time::min();  // it was out of descriptors
};

}  // namespace brood
