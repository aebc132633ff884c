// SPDX-License-Identifier: MIT
// A server of datagrams, by UDP or a unix socket: its children compete for them, and handle one at a time.
// Derive, and override handle_datagram():
//
//   class Echo : public brood::DatagramServer {
//     void handle_datagram(brood::Datagram& datagram) override { datagram.reply(datagram.data()); }
//   };
//
// with `listen = udp:HOST:PORT` or `listen = unix-datagram:/path`.
#pragma once

#include "brood/server_base.hpp"

namespace brood {

// One datagram that has arrived. In a child; one thread.
class Datagram {
 public:
  static constexpr std::size_t largest = 65'536;  // bytes

  // As it arrived, empty maybe, and never cut: a larger one, which only a unix socket can bring, is counted
  // as failed and not handled. Valid while the handler runs.
  std::string_view data() const { return data_; }
  std::string peer() const;   // "192.0.2.7:40312", "[2001:db8::7]:40312", "unix:/path", or "unix": no name
  std::string local() const;  // the address that was asked, also where the listener has all of them
  std::string_view listener() const { return listener_; }  // its name in the configuration, or its address

  // Sends `data` to the peer, from the address that was asked; any number of times. Throws SystemError: the
  // peer is gone, can't be answered (a unix socket without a name), or takes nothing for a second.
  void reply(std::string_view data);

  // As of a connection: shown in the scoreboard meanwhile, at most 48 bytes.
  void note(std::string_view text) { child_->note(id_, text); }
  bool leaving() const { return child_->leaving(); }  // the child was told to leave

 private:
  friend class DatagramReceiver;
  friend class DatagramServer;
  Datagram() = default;

  Child* child_ = nullptr;
  ConnectionId id_ = 0;
  int socket_ = -1;
  std::string_view listener_, data_;
  sockaddr_storage peer_{}, asked_{};  // asked_: without port; no family where the socket has but one address
  socklen_t peer_size_ = 0;
  unsigned interface_ = 0;  // that the datagram came by
  std::uint64_t bytes_written_ = 0;
};

class DatagramServer : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.work = WorkKind::datagrams}; }

 protected:
  // In a child, without privileges; one at a time. An exception that leaves it ends the work on this
  // datagram, is logged and counted as failed, and never ends the child.
  virtual void handle_datagram(Datagram& datagram) = 0;
};

}  // namespace brood
