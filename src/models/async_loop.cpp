// SPDX-License-Identifier: MIT
#include "models/async_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/handler_guard.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Readiness = asio::posix::stream_descriptor::wait_type;

// A child that leaves gives its idle connections so long for a request that is on its way.
constexpr auto last_request_time = 1s;

}  // namespace

// One thread runs it, and so its sockets need no locks. Its queue has them: handlers may have threads of
// their own, which post what they have found, and Boost.Asio resolves names in one.
AsyncLoop::AsyncLoop(Child& child, Handler handler)
    : child_(child),
      handler_(std::move(handler)),
      limits_(child.limits()),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      listeners_(context_, child.listener_fd()),
      leave_(context_, child.leave_fd()),
      timer_(context_) {}

AsyncLoop::~AsyncLoop() {
  listeners_.release();
  leave_.release();
}

void AsyncLoop::run() {
  wait_for_connections();
  wait_for_leave();
  context_.run();
}

// One at a time: what else waits is for this child only if it has nothing better to do.
void AsyncLoop::wait_for_connections() {
  listeners_.async_wait(Readiness::wait_read, [this](const boost::system::error_code& error) {
    if (error || leaving_) return;
    if (auto connection = child_.try_accept()) start(std::move(*connection));
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
  listeners_.cancel();
  while (auto connection = child_.try_accept()) start(std::move(*connection));
  looked_last_ = true;
  wake_at(Clock::now());  // idle ones have another limit now
  end_if_empty();
}

void AsyncLoop::end_if_empty() {
  if (looked_last_ && starting_ == 0 && by_age_.empty()) context_.stop();
}

// ---- connections

void AsyncLoop::start(Connection connection) {
  ++starting_;
  asio::co_spawn(context_, serve(std::move(connection)), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);  // the kit's own, and the end of the child
  });
}

asio::awaitable<void> AsyncLoop::serve(Connection accepted) {
  AsyncConnection connection(*this, std::move(accepted));
  --starting_;
  try {
    connection.open();
    co_await handler_(connection);
  } catch (...) {
    connection.outcome_ = connection.failure();
  }
  if (connection.connection_.half_close()) co_await linger(connection);
  if (!connection.gone_) finish(connection);
}

void AsyncLoop::add(AsyncConnection& connection) {
  connection.accepted_ = connection.active_ = Clock::now();
  connection.by_age_ = by_age_.insert(by_age_.end(), &connection);
  connection.by_activity_ = by_activity_.insert(by_activity_.end(), &connection);
  if (limits_.connection_timeout > 0ms) wake_at(connection.accepted_ + limits_.connection_timeout);
}

asio::awaitable<void> AsyncLoop::linger(AsyncConnection& connection) {
  connection.lingers_ = true;
  connection.active_ = Clock::now();
  lingering_.splice(lingering_.end(), by_activity_, connection.by_activity_);
  wake_at(connection.active_ + Connection::linger_time);
  boost::system::error_code error;
  while (!error && !connection.connection_.read_away())
    co_await connection.socket_.async_wait(AsyncConnection::Socket::wait_read,
                                           asio::redirect_error(asio::use_awaitable, error));
}

void AsyncLoop::finish(AsyncConnection& connection) {
  boost::system::error_code ignored;
  connection.socket_.release(ignored);  // what waits for it is cancelled
  connection.gone_ = true;
  by_age_.erase(connection.by_age_);
  (connection.lingers_ ? lingering_ : by_activity_).erase(connection.by_activity_);
  child_.finished(std::move(connection.connection_), connection.outcome_);
  end_if_empty();
}

// ---- time

void AsyncLoop::begins_to_wait(AsyncConnection& connection) {
  if (connection.gone_) return;
  moved(connection);
  wake_at(idle_due(connection));
}

void AsyncLoop::moved(AsyncConnection& connection) {
  if (connection.gone_) return;
  connection.active_ = Clock::now();
  by_activity_.splice(by_activity_.end(), by_activity_, connection.by_activity_);
}

Time AsyncLoop::idle_due(const AsyncConnection& connection) const {
  Time due = never;
  if (connection.waits_ == 0 || connection.cut_short_) return due;
  if (limits_.idle_timeout > 0ms) due = connection.active_ + limits_.idle_timeout;
  if (leaving_ && connection.between_requests_) due = std::min(due, connection.active_ + last_request_time);
  return due;
}

void AsyncLoop::on_timer() {
  wakes_at_ = never;
  const Time now = Clock::now();
  wake_at(std::min({end_old(now), end_idle(now), end_lingering(now)}));
}

// Closed at once: its coroutine may wait for anything, and hears of it when it uses the connection next.
Time AsyncLoop::end_old(Time now) {
  if (limits_.connection_timeout == 0ms) return never;
  while (!by_age_.empty()) {
    AsyncConnection& oldest = *by_age_.front();
    if (oldest.accepted_ + limits_.connection_timeout > now)
      return oldest.accepted_ + limits_.connection_timeout;
    log_warning(text("connection from ", oldest.peer(), ": beyond connection-timeout; it is closed"));
    oldest.connection_.half_close();  // and no lingering after it
    oldest.outcome_ = Outcome::failed;
    finish(oldest);
  }
  return never;
}

// The one that waits for longest comes first; but when the child leaves, those between requests have another
// limit than others.
Time AsyncLoop::end_idle(Time now) {
  Time next = never;
  for (AsyncConnection* const connection : by_activity_) {
    const Time due = idle_due(*connection);
    if (due <= now) {
      connection->cut_short_ = true;
      connection->socket_.cancel();
    } else if (due != never) {
      next = std::min(next, due);
      if (!leaving_) break;
    }
  }
  return next;
}

Time AsyncLoop::end_lingering(Time now) {
  while (!lingering_.empty()) {
    AsyncConnection& oldest = *lingering_.front();
    if (oldest.active_ + Connection::linger_time > now) return oldest.active_ + Connection::linger_time;
    finish(oldest);
  }
  return never;
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
