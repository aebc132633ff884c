// SPDX-License-Identifier: MIT
// The orders that come by the control socket: who asked what, and who still waits for the outcome. What the
// verbs do is not known here. Parent only.
#pragma once

#include <string>
#include <vector>

#include "parent/control_socket.hpp"
#include "parent/verbs.hpp"
#include "upgrade/takeover.hpp"

namespace brood {

class Control {
 public:
  // Nobody asks, until it is opened or taken over. `parent` outlives it.
  explicit Control(Parent& parent) : parent_(parent) {}
  // The socket stands beside the scoreboard; without one (""), or where it can't be opened, nobody asks.
  void open(const std::string& scoreboard_path);

  // In the order of the parent's loop. Returns when it has to go on for a client that is late.
  void obey(Time now);
  Time look(Time now);  // after everything else has
  void add_watched(std::vector<pollfd>& to) const { socket_.add_watched(to); }
  void take(const std::vector<pollfd>& events, Time now) { requests_ = socket_.take(events, now); }

  // The socket, and descriptors of those who ask for an upgrade; and both as they come over exec().
  HandedOverControl hand_over() const { return socket_.hand_over(); }
  std::vector<int> waiting_for_upgrade() const;
  void take_over(Takeover& takeover, const PendingAnswer& answer);

  void forget() { socket_.forget(); }  // in a child

 private:
  struct PendingOrder {
    ControlSocket::Client client;
    bool while_stopping, crosses_exec;
    PendingAnswer answer;
  };
  void obey(const ControlSocket::Request& request, Time now);

  Parent& parent_;
  ControlSocket socket_;
  std::vector<ControlSocket::Request> requests_;
  std::vector<PendingOrder> pending_;
};

}  // namespace brood
