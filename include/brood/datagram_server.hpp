// SPDX-License-Identifier: MIT
// A server for datagrams, over UDP or a unix socket. Its children compete for them, and each handles one at a
// time. Derive, and override handle_datagram():
//
//   class Echo : public brood::DatagramServer {
//     void handle_datagram(brood::Datagram& datagram) override { datagram.reply(datagram.data()); }
//   };
//
// with `listen = udp:HOST:PORT` or `listen = unix-datagram:/path`.
#pragma once

#include "brood/cxx20.hpp"

#include "brood/address.hpp"
#include "brood/server_base.hpp"

namespace brood {

// One datagram. In a child, in one thread.
class Datagram {
 public:
  static constexpr std::size_t largest = 65'536;  // bytes

  // The whole datagram, which may be empty. A larger one than `largest`, which only a unix socket can bring,
  // is counted as failed and not handled. Valid until the handler returns.
  std::string_view data() const { return data_; }
  std::string peer() const;  // "192.0.2.7:40312", "[2001:db8::7]:40312", "unix:/path", or "unix": no name
  Address peer_address() const { return Address(peer_); }
  std::string local() const;  // the address to which it was sent, also if the listener is on all addresses
  std::string_view listener() const { return listener_; }  // its configured name, or its address

  // Sends `data` to the peer, from the address to which the datagram was sent. May be called several times.
  // Throws ConnectionError if the peer is gone, has no address (a unix socket without a name), or accepts
  // nothing for a second.
  void reply(std::string_view data);

  // Shown on the scoreboard until the handler returns, at most 48 bytes.
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
  sockaddr_storage peer_{};
  sockaddr_storage destination_{};  // without a port; no family if the socket has only one address
  socklen_t peer_size_ = 0;
  unsigned interface_ = 0;  // of a link-local destination
  std::uint64_t bytes_written_ = 0;
};

class DatagramServer : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.work = WorkKind::datagrams}; }

 protected:
  // Called in a child, without privileges, for one datagram at a time. An exception is logged, and the
  // datagram counted as failed; it does not end the child.
  virtual void handle_datagram(Datagram& datagram) = 0;
};

}  // namespace brood
