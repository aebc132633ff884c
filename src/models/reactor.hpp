// SPDX-License-Identifier: MIT
// An event loop over a child's connections, run by one thread or several. In a child. Knows neither the
// limits of time (connection_deadlines.hpp) nor how the child waits and leaves.
//
// Several threads are leader and followers: all wait on the one epoll set, and the thread that gets an event
// handles it. The queue of what is ready is the kernel's. With a single thread connections stay watched, and
// an exchange costs no system call beyond wait, read and write.
#pragma once

#include <functional>
#include <mutex>

#include "brood/child.hpp"
#include "brood/event_server.hpp"
#include "models/epoll_set.hpp"
#include "models/watched_connections.hpp"

namespace brood {

class Reactor {
 public:
  // Called when a connection was just accepted, and then when it has something to be handled.
  using Handler = std::function<Next(Connection&, bool just_accepted)>;

  Reactor(Child& child, Handler handler);

  // In each thread. Returns when the child was told to leave and its last connection is finished.
  void run();

 private:
  void loop();
  void on_event(std::uint64_t key);
  void on_listeners();
  void on_leave();
  void on_timer();
  void on_connection(std::uint64_t key);
  void end_if_empty();
  void end();

  // The calling thread holds the connection, and no longer does then:
  void handle(WatchedConnection& watched, bool just_accepted);
  void watch(WatchedConnection& watched, std::uint32_t events);
  void linger_or_finish(WatchedConnection& watched);
  void finish(WatchedConnection& watched);
  void end_overdue(WatchedConnection& watched, WatchedConnections::Limit limit);

  Child& child_;
  const Handler handler_;
  const bool threads_;
  EpollSet epoll_;
  Descriptor end_;  // readable: all threads return
  WatchedConnections connections_;

  ThreadMutex mutex_;       // for what follows
  unsigned accepting_ = 0;  // threads
  bool leaving_ = false;
  bool looked_last_ = false;  // nothing more is accepted
};

}  // namespace brood
