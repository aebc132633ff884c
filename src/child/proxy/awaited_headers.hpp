// SPDX-License-Identifier: MIT
// Connections that were accepted, and begin when their PROXY header is there. In a child; its threads take
// turns. Reads headers; decides nothing about them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include "base/clock.hpp"
#include "base/service/proxy_settings.hpp"
#include "brood/connection.hpp"
#include "child/proxy/header_reader.hpp"

namespace brood {

struct AwaitedConnection {
  Connection connection;
  Time until;
  HeaderReader reader = {};
  HeaderReader::State state = HeaderReader::State::more;
};

class AwaitedHeaders {
 public:
  explicit AwaitedHeaders(const ProxySettings& settings);  // throws SystemError

  bool believes(const Address& sender) const { return senders_.contain(sender); }
  // A connection that was just accepted.
  AwaitedConnection begin(Connection connection) const;

  // ---- For a model with an event loop
  // From now on this epoll set reports, with `data`, that take() may find one. Idempotent.
  void report_to(int epoll, std::uint64_t data) const;
  void add(AwaitedConnection awaited);
  // One that is not awaited any more. Its state is `more`: its time is over.
  std::optional<AwaitedConnection> take(Time now);
  unsigned count() const { return static_cast<unsigned>(all_.size()); }

 private:
  using Place = std::list<AwaitedConnection>::iterator;
  AwaitedConnection remove(Place place);
  void wake_at(Time time);

  const ProxySenders senders_;
  const std::chrono::milliseconds timeout_;
  Descriptor epoll_, timer_;
  std::list<AwaitedConnection> all_;  // in the order of their deadlines
  Time wakes_at_ = never;
};

}  // namespace brood
