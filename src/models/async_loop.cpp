// SPDX-License-Identifier: MIT
#include "models/async_loop.hpp"
// After it:
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "base/event_descriptor.hpp"
#include "child/connection/patience.hpp"
#include "models/async_relay.hpp"
#include "models/connection_outcome.hpp"
#include "models/epoll_set.hpp"

namespace brood {
namespace {

namespace asio = boost::asio;
using Readiness = asio::posix::stream_descriptor::wait_type;

}  // namespace

// One thread runs it, so that its sockets need no locks. Its queue needs them: handlers may have threads of
// their own, which post what they found, and Boost.Asio resolves names in one.
AsyncLoop::AsyncLoop(Child& child, Handler handler)
    : child_(child),
      handler_(std::move(handler)),
      deadlines_(child.limits()),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      arrivals_(new_event()),
      listeners_(context_, arrivals_.get()),
      leave_(context_, child.leave_fd()),
      timer_(context_) {
  watch_listeners();
}

AsyncLoop::~AsyncLoop() {
  listeners_.release();
  leave_.release();
}

// A connection wakes one child only if the listeners are in the set in which the children sleep
// (EPOLLEXCLUSIVE, epoll_ctl(2)), and that is Boost.Asio's. The kernel tells which one that is, and what it
// reports for `listeners_`: it shall report the same for the listeners. On io_uring, or without /proc, all
// children wake.
void AsyncLoop::watch_listeners() {
  if (const auto entry = find_epoll_entry(arrivals_.get()))
    return child_.watch_listeners(entry->epoll, entry->data);
  listeners_.release();
  listeners_.assign(child_.listener_fd());
}

void AsyncLoop::run() {
  wait_for_connections();
  wait_for_leave();
  context_.run();
}

// One at a time: what else waits is for this child only if it has nothing better to do.
void AsyncLoop::wait_for_connections() {
  listeners_.async_wait(Readiness::wait_read, [this](const boost::system::error_code& error) {
    if (error || (leaving_ && child_.beginning() == 0)) return;
    if (auto connection = child_.try_accept()) start(std::move(*connection));
    end_silent();
    end_if_empty();
    wait_for_connections();
  });
}

void AsyncLoop::wait_for_leave() {
  leave_.async_wait(Readiness::wait_read, [this](const boost::system::error_code& error) {
    if (!error) leave();
  });
}

void AsyncLoop::leave() {
  leaving_ = true;
  deadlines_.leave(Clock::now());
  while (auto connection = child_.try_accept()) start(std::move(*connection));
  if (child_.beginning() == 0) listeners_.cancel();
  looked_last_ = true;
  wake_at(Clock::now());  // idle ones have another limit now
  end_if_empty();
}

void AsyncLoop::end_if_empty() {
  if (looked_last_ && starting_ == 0 && deadlines_.empty() && child_.beginning() == 0) context_.stop();
}

// ---- connections

void AsyncLoop::start(Connection connection) {
  ++starting_;
  asio::co_spawn(context_, serve(std::move(connection)), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);  // a failure of the kit's, not of a handler: it ends the child
  });
}

asio::awaitable<void> AsyncLoop::serve(Connection accepted) {
  AsyncConnection connection(*this, std::move(accepted));
  --starting_;
  try {
    connection.open();
    co_await handler_(connection);
    connection.outcome_ = connection.seen_with(Outcome::served);
  } catch (...) {
    connection.outcome_ = connection.failure();
  }
  if (connection.connection_.half_close()) co_await linger(connection);
  if (!connection.closed_) finish(connection);
}

void AsyncLoop::add(AsyncConnection& connection) {
  const ConnectionId id = connection.connection_.id();
  if (connections_.size() <= id) connections_.resize(id + 1);
  connections_[id] = &connection;
  const Connection& accepted = connection.connection_;
  wake_at(deadlines_.add(id, connection.connection_state(), Clock::now(), accepted.deadline(),
                         accepted.first_byte_deadline()));
}

void AsyncLoop::deadline_moved(const AsyncConnection& connection) {
  wake_at(deadlines_.set_deadline(connection.connection_.id(), connection.connection_.deadline()));
}

void AsyncLoop::changed(const AsyncConnection& connection) {
  if (connection.closed_) return;
  const ConnectionId id = connection.connection_.id();
  if (connection.bytes_read() > 0) deadlines_.heard(id);
  wake_at(deadlines_.set(id, connection.connection_state(), Clock::now()));
}

asio::awaitable<void> AsyncLoop::linger(AsyncConnection& connection) {
  wake_at(deadlines_.set(connection.connection_.id(), ConnectionState::lingering, Clock::now()));
  boost::system::error_code error;
  while (!error && !connection.connection_.drop_input())
    co_await connection.socket_.async_wait(AsyncConnection::Socket::wait_read,
                                           asio::redirect_error(asio::use_awaitable, error));
}

void AsyncLoop::finish(AsyncConnection& connection) {
  boost::system::error_code ignored;
  connection.socket_.release(ignored);  // what waits for it is cancelled
  if (connection.relay_ != nullptr) connection.relay_->cancel();
  connection.closed_ = true;
  if (silent_ == &connection) silent_ = nullptr;
  deadlines_.remove(connection.connection_.id());
  child_.finished(std::move(connection.connection_), connection.outcome_);
  end_if_empty();
}

// ---- time

void AsyncLoop::on_timer() {
  wakes_at_ = never;
  std::vector<ConnectionDeadlines::Overdue> overdue;
  wake_at(deadlines_.take_overdue(Clock::now(), overdue));
  for (const auto& [id, limit] : overdue) end_overdue(*connections_[id], limit);
  end_silent();
}

// One at a time: then a client that waits takes its place, and fewer wait.
void AsyncLoop::end_silent() {
  if (!child_.overloaded()) return;
  const Time now = Clock::now();
  if (silent_ != nullptr && silent_->cut_short_) return wake_at(now + patience_check_interval);
  silent_ = nullptr;
  const auto silent = deadlines_.longest_silent();
  if (!silent) return;
  const auto patience = child_.patience(now - silent->since, 0);
  wake_at(next_look_at_silence(now, patience));
  if (patience > std::chrono::nanoseconds::zero() || !deadlines_.hold(silent->id)) return;
  AsyncConnection& connection = *connections_[silent->id];
  log_too_silent(connection.connection_);
  silent_ = &connection;
  end_overdue(connection, ConnectionDeadlines::Limit::silence);
}

void AsyncLoop::end_overdue(AsyncConnection& connection, ConnectionDeadlines::Limit limit) {
  switch (limit) {
    case ConnectionDeadlines::Limit::silence:
    case ConnectionDeadlines::Limit::inactivity:
      connection.cut_short_ = true;
      connection.cancel();
      return changed(connection);
    case ConnectionDeadlines::Limit::first_byte:
      // It has come, and its coroutine was not resumed yet.
      if (readable(connection.connection_.descriptor())) return changed(connection);
      log_no_first_byte(connection.connection_);
      connection.connection_.half_close();
      connection.outcome_ = Outcome::timed_out;
      break;
    case ConnectionDeadlines::Limit::age:
      // Closed at once: its coroutine may wait for anything, and learns of it when it uses the connection.
      log_too_old(connection.connection_);
      connection.connection_.half_close();  // and no lingering after it
      connection.outcome_ = Outcome::timed_out;
      break;
    case ConnectionDeadlines::Limit::timer:  // coroutines have those of Boost.Asio
      return;
    case ConnectionDeadlines::Limit::linger:
      break;
  }
  finish(connection);
}

void AsyncLoop::wake_at(Time time) {
  if (time >= wakes_at_) return;
  wakes_at_ = time;
  timer_.expires_at(time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
}

}  // namespace brood
