// SPDX-License-Identifier: MIT
// The loop under a child's coroutines: accepts connections, starts a coroutine for each, and ends those that
// are overdue. In a child, in one thread. Does not know the limits of time (connection_deadlines.hpp).
#pragma once

#include "brood/async_server.hpp"
// After it:
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <vector>

#include "models/connection_deadlines.hpp"

namespace brood {

class AsyncLoop {
 public:
  using Handler = std::function<boost::asio::awaitable<void>(AsyncConnection&)>;

  AsyncLoop(Child& child, Handler handler);
  ~AsyncLoop();
  AsyncLoop(const AsyncLoop&) = delete;
  AsyncLoop& operator=(const AsyncLoop&) = delete;

  // Returns when the child was told to leave and its last connection is finished.
  void run();

  // For connections:
  auto executor() { return context_.get_executor(); }
  void add(AsyncConnection& connection);
  void deadline_moved(const AsyncConnection& connection);
  void changed(const AsyncConnection& connection);  // a wait has begun or ended

 private:
  void watch_listeners();
  void wait_for_connections();
  void wait_for_leave();
  void leave();
  void start(Connection connection);
  boost::asio::awaitable<void> serve(Connection accepted);
  boost::asio::awaitable<void> linger(AsyncConnection& connection);
  void finish(AsyncConnection& connection);
  void end_if_empty();

  void on_timer();
  void end_silent();
  void end_overdue(AsyncConnection& connection, ConnectionDeadlines::Limit limit);
  void wake_at(Time time);

  Child& child_;
  const Handler handler_;
  ConnectionDeadlines deadlines_;
  std::vector<AsyncConnection*> connections_;  // by id
  boost::asio::io_context context_;
  Descriptor arrivals_;                                      // an eventfd that nothing writes to
  boost::asio::posix::stream_descriptor listeners_, leave_;  // do not own their descriptors
  boost::asio::steady_timer timer_;
  Time wakes_at_ = never;
  const AsyncConnection* silent_ = nullptr;  // was cut short, and its coroutine has not ended
  unsigned starting_ = 0;                    // coroutines
  bool leaving_ = false;
  bool looked_last_ = false;  // nothing more is accepted
};

}  // namespace brood
