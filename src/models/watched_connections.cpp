// SPDX-License-Identifier: MIT
#include "models/watched_connections.hpp"

#include <utility>

namespace brood {

WatchedConnections::WatchedConnections(const ChildLimits& limits, const EpollSet& epoll)
    : threads_(limits.threads > 1), epoll_(epoll), mutex_(threads_), deadlines_(limits) {}

WatchedConnection& WatchedConnections::add(Connection connection) {
  const ConnectionId id = connection.id();
  const std::lock_guard lock(mutex_);
  while (connections_.size() <= id) connections_.emplace_back();
  WatchedConnection& added = connections_[id];
  const std::uint32_t use = added.use;
  added = {.connection = std::move(connection), .use = use};
  deadlines_.add(id, ConnectionState::held, Clock::now());
  return added;
}

WatchedConnection* WatchedConnections::claim(std::uint64_t key) {
  const auto id = static_cast<ConnectionId>(key);
  const std::lock_guard lock(mutex_);
  if (id >= connections_.size() || connections_[id].use != key >> 32U || !deadlines_.hold(id)) return nullptr;
  return &connections_[id];
}

void WatchedConnections::watch(WatchedConnection& connection, std::uint32_t events) {
  const Connection& open = connection.open();
  const ConnectionId id = open.id();
  const bool idle = connection.next == Next::request && !open.has_output();
  const auto state = connection.lingers ? ConnectionState::lingering
                     : idle             ? ConnectionState::idle
                                        : ConnectionState::waiting;
  const std::lock_guard lock(mutex_);
  if (threads_ || connection.watched_for != events) {
    const std::uint64_t key = std::uint64_t{connection.use} << 32U | id;
    const std::uint32_t wanted = events | (threads_ ? EPOLLONESHOT : 0U);
    if (connection.watched_for == 0)
      epoll_.add(open.descriptor(), wanted, key);
    else
      epoll_.change(open.descriptor(), wanted, key);
    connection.watched_for = events;
  }
  timer_.wake_at(deadlines_.set(id, state, Clock::now()));
}

Connection WatchedConnections::remove(WatchedConnection& connection) {
  const std::lock_guard lock(mutex_);
  Connection removed = std::move(connection.open());
  connection.connection.reset();
  ++connection.use;
  deadlines_.remove(removed.id());
  return removed;
}

std::vector<WatchedConnections::Overdue> WatchedConnections::take_overdue(Time now) {
  std::vector<Overdue> overdue;
  const std::lock_guard lock(mutex_);
  if (!timer_.went_off()) return overdue;
  std::vector<ConnectionDeadlines::Overdue> ids;
  timer_.wake_at(deadlines_.take_overdue(now, ids));
  for (const auto& [id, limit] : ids) overdue.push_back({connections_[id], limit});
  return overdue;
}

bool WatchedConnections::empty() {
  const std::lock_guard lock(mutex_);
  return deadlines_.empty();
}

void WatchedConnections::leave(Time now) {
  const std::lock_guard lock(mutex_);
  deadlines_.leave(now);
  timer_.wake_at(now);  // idle ones have another limit now
}

}  // namespace brood
