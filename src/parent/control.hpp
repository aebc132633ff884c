// SPDX-License-Identifier: MIT
// The requests that come by the control socket, and those that wait for their answers. It does not know what
// the orders are: a RequestHandler does. Parent only.
#pragma once

#include <string>
#include <vector>

#include "parent/answer.hpp"
#include "parent/control_socket.hpp"
#include "upgrade/takeover.hpp"

namespace brood {

class RequestHandler {
 public:
  struct Handled {
    PendingAnswer answer;
    bool crosses_exec = false;  // the next program of this process answers
  };
  // Throws Refusal, or Error with all mistakes, one a line.
  virtual Handled handle(const WireRecord& request, Time now) = 0;

 protected:
  ~RequestHandler() = default;
};

// In a handler: what a request is answered that has thrown.
Answer answer_of_what_was_thrown();

class Control {
 public:
  // There is no socket until open() or take_over(). `handler` outlives it.
  explicit Control(RequestHandler& handler) : handler_(handler) {}
  // The socket is beside the scoreboard. If the scoreboard is anonymous or the socket can't be opened, there
  // is none.
  void open(const std::string& scoreboard_path);
  // Opens it if there is none, or again if its file was removed or replaced, unless another server answers
  // there.
  void look_at_path(const std::string& scoreboard_path);

  // In the order in which the parent's loop calls them. The log has each request and its outcome.
  void handle_requests(Time now);
  Time answer(Time now);  // returns when the next client is late
  void add_watched(std::vector<pollfd>& to) const { socket_.add_watched(to); }
  void receive(const std::vector<pollfd>& events, Time now) { requests_ = socket_.receive(events, now); }

  // ---- over exec(): the socket, and the clients whose orders cross it
  HandedOverControl hand_over() const { return socket_.hand_over(); }
  std::vector<int> clients_to_hand_over() const;
  void take_over(Takeover& takeover, const PendingAnswer& answer);

  void forget() { socket_.forget(); }  // in a child

 private:
  struct PendingOrder {
    ControlSocket::Client client;
    RequestHandler::Handled order;
    std::string asked;  // who, and what
  };
  void handle(const ControlSocket::Request& request, Time now);

  RequestHandler& handler_;
  ControlSocket socket_;
  std::vector<ControlSocket::Request> requests_;
  std::vector<PendingOrder> pending_;
};

}  // namespace brood
