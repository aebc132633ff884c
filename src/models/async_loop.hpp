// SPDX-License-Identifier: MIT
// The loop under a child's coroutines: takes connections, has each one handled by a coroutine of its own,
// ends those that wait for too long, and closes them. In a child, in one thread. One timer for all.
#pragma once

#include "brood/async_server.hpp"
// After it:
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "base/clock.hpp"

namespace brood {

class AsyncLoop {
 public:
  using Handler = std::function<boost::asio::awaitable<void>(AsyncConnection&)>;

  AsyncLoop(Child& child, Handler handler);
  ~AsyncLoop();
  AsyncLoop(const AsyncLoop&) = delete;
  AsyncLoop& operator=(const AsyncLoop&) = delete;

  // Returns when the child was told to leave and nothing is in hand any more.
  void run();

  // For connections:
  auto executor() { return context_.get_executor(); }
  void add(AsyncConnection& connection);
  void begins_to_wait(AsyncConnection& connection);
  void moved(AsyncConnection& connection);  // something was read or written

 private:
  void wait_for_connections();
  void wait_for_leave();
  void leave();
  void start(Connection connection);
  boost::asio::awaitable<void> serve(Connection accepted);
  boost::asio::awaitable<void> linger(AsyncConnection& connection);
  void finish(AsyncConnection& connection);
  void end_if_empty();

  Time idle_due(const AsyncConnection& connection) const;
  void on_timer();
  Time end_old(Time now);
  Time end_idle(Time now);
  Time end_lingering(Time now);
  void wake_at(Time time);

  Child& child_;
  const Handler handler_;
  const ChildLimits limits_;
  // In the order of one limit each. They outlive the coroutines, which the context destroys.
  AsyncConnection::Places by_age_, by_activity_, lingering_;
  boost::asio::io_context context_;
  boost::asio::posix::stream_descriptor listeners_, leave_;  // the child's; let go before they are closed
  boost::asio::steady_timer timer_;
  Time wakes_at_ = never;
  unsigned starting_ = 0;  // coroutines
  bool leaving_ = false;
  bool looked_last_ = false;  // nothing more is accepted
};

}  // namespace brood
