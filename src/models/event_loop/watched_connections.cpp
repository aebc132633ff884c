// SPDX-License-Identifier: MIT
#include "models/event_loop/watched_connections.hpp"

#include <utility>

namespace brood {
namespace {

std::uint64_t to_key(std::uint32_t use, ConnectionId id) { return std::uint64_t{use} << 32U | id; }

}  // namespace

WatchedConnections::WatchedConnections(const ChildLimits& limits, const EpollSet& epoll)
    : threads_(limits.threads > 1), epoll_(epoll), mutex_(threads_), deadlines_(limits) {}

WatchedConnection& WatchedConnections::add(Connection connection) {
  const ConnectionId id = connection.id();
  const std::lock_guard lock(mutex_);
  while (connections_.size() <= id) connections_.emplace_back();
  WatchedConnection& added = connections_[id];
  const std::uint32_t use = added.use;
  added = {.connection = std::move(connection), .use = use};
  const Connection& open = added.open();
  deadlines_.add(id, ConnectionState::held, Clock::now(), open.deadline(), open.first_byte_deadline());
  return added;
}

WatchedConnection* WatchedConnections::claim(std::uint64_t key) {
  const auto id = static_cast<ConnectionId>(key);
  const std::lock_guard lock(mutex_);
  if (id >= connections_.size() || connections_[id].use != key >> 32U || !deadlines_.hold(id)) return nullptr;
  // Also if its handler reads with other means, and does not say how much.
  if (connections_[id].watched_for == EPOLLIN) deadlines_.heard(id);
  return &connections_[id];
}

void WatchedConnections::heard(const WatchedConnection& connection) {
  const std::lock_guard lock(mutex_);
  deadlines_.heard(connection.connection->id());
}

std::uint64_t WatchedConnections::key_of(const Connection& connection) {
  const std::lock_guard lock(mutex_);
  return to_key(connections_[connection.id()].use, connection.id());
}

WatchedConnection* WatchedConnections::give(std::uint64_t key, LoopTasks::ConnectionTask task) {
  const auto id = static_cast<ConnectionId>(key);
  const std::lock_guard lock(mutex_);
  if (id >= connections_.size() || connections_[id].use != key >> 32U || deadlines_.lingers(id))
    return nullptr;
  WatchedConnection& connection = connections_[id];
  if (connection.tasks.size() < ConnectionHandle::most_waiting)
    connection.tasks.push_back(std::move(task));
  else
    connection.too_many_tasks = true;
  return deadlines_.hold(id) ? &connection : nullptr;
}

LoopTasks::ConnectionTask WatchedConnections::take_task(WatchedConnection& connection) {
  const std::lock_guard lock(mutex_);
  if (connection.tasks.empty()) return {};
  auto task = std::move(connection.tasks.front());
  connection.tasks.pop_front();
  return task;
}

bool WatchedConnections::has_too_many_tasks(const WatchedConnection& connection) {
  const std::lock_guard lock(mutex_);
  return connection.too_many_tasks;
}

bool WatchedConnections::watch(WatchedConnection& connection, std::uint32_t events) {
  const Connection& open = connection.open();
  const ConnectionId id = open.id();
  const auto state = connection.lingers                 ? ConnectionState::lingering
                     : open.has_output()                ? ConnectionState::sending
                     : connection.next == Next::request ? ConnectionState::idle
                                                        : ConnectionState::waiting;
  const std::lock_guard lock(mutex_);
  const bool may_run = !connection.lingers && connection.next != Next::close;
  const bool runs = connection.too_many_tasks || (!connection.tasks.empty() && !open.has_output());
  if (may_run && runs) return false;
  if (threads_ || connection.watched_for != events) {
    const std::uint64_t key = to_key(connection.use, id);
    const std::uint32_t wanted = events | (threads_ ? EPOLLONESHOT : 0U);
    if (connection.watched_for == 0)
      epoll_.add(open.descriptor(), wanted, key);
    else
      epoll_.change(open.descriptor(), wanted, key);
    connection.watched_for = events;
  }
  if (open.bytes_read() > 0) deadlines_.heard(id);
  if (open.deadline() != Connection::no_deadline) deadlines_.set_deadline(id, open.deadline());
  timer_.wake_at(connection.active || connection.lingers ? deadlines_.set(id, state, Clock::now())
                                                         : deadlines_.give_back(id, state));
  return true;
}

void WatchedConnections::set_timer(const Connection& connection, Time time) {
  const std::lock_guard lock(mutex_);
  connections_[connection.id()].timer_due = false;
  deadlines_.set_timer(connection.id(), time);
}

Connection WatchedConnections::remove(WatchedConnection& connection) {
  std::list<LoopTasks::ConnectionTask> dropped;  // without the lock: what they own may post again
  const std::lock_guard lock(mutex_);
  dropped.swap(connection.tasks);
  // Closing it is not enough: if a process that a handler has forked has it too, its events would go on.
  if (connection.watched_for != 0) epoll_.forget(connection.open().descriptor());
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

std::optional<WatchedConnections::Overdue> WatchedConnections::take_silent(Child& child, Time now) {
  const std::lock_guard lock(mutex_);
  const auto silent = deadlines_.longest_silent();
  if (!silent) return {};
  const auto patience = child.patience(now - silent->since, 0);
  timer_.wake_at(next_look_at_silence(now, patience));
  if (patience > std::chrono::nanoseconds::zero() || !deadlines_.hold(silent->id)) return {};
  return Overdue{.connection = connections_[silent->id], .limit = Limit::silence};
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
