// SPDX-License-Identifier: MIT
// A connection that a balancer has sent.
#include <cstring>
#include <utility>

#include "brood/connection.hpp"
#include "child/proxy/connection_sender.hpp"

namespace brood {

void Connection::begin(ProxyHeader header) {
  sender_ = std::make_unique<Sender>(Sender{.address = Address(peer_), .header = std::move(header)});
  if (!sender_->header.names_client()) return;
  peer_ = {};
  std::memcpy(&peer_, sender_->header.source.data(), sender_->header.source.size());
}

const ProxyHeader* Connection::proxy_header() const { return sender_ ? &sender_->header : nullptr; }

Address Connection::sender_address() const { return sender_ ? sender_->address : peer_address(); }

}  // namespace brood
