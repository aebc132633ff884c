// SPDX-License-Identifier: MIT
// An event loop over a child's connections, run by one thread or several. In a child. Knows neither the
// limits of time (connection_deadlines.hpp), nor what else runs in the loop
// (loop_tasks.hpp), nor how the child waits and leaves.
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
#include "models/event_loop/loop_tasks.hpp"
#include "models/event_loop/watched_connections.hpp"

namespace brood {

class Reactor {
 public:
  // Why a connection is handled: it was just accepted; there is input, or what was written has been sent; its
  // timer; functions were posted to it, of which the handler does not learn.
  enum class Call { accepted, input, timer, task };
  using Handler = std::function<Next(Connection&, Call)>;

  // `tasks` outlives it.
  Reactor(Child& child, Handler handler, LoopTasks& tasks);
  ~Reactor() { tasks_.detach(); }
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // In each thread. Returns when the child was told to leave and its last connection is finished.
  void run();

  // By the handler of this connection. What posts to it names it with the key. `never`: it has none any more.
  void set_timer(const Connection& connection, Time time) { connections_.set_timer(connection, time); }
  std::uint64_t key_of(const Connection& connection) { return connections_.key_of(connection); }

 private:
  void loop();
  void on_event(std::uint64_t key);
  void on_listeners();
  void on_leave();
  void on_timer();
  void on_connection(std::uint64_t key);
  void end_silent();
  void end_if_empty();
  void end();

  // The calling thread holds the connection, and no longer does then:
  void handle(WatchedConnection& watched, Call call);
  bool handle_once(WatchedConnection& watched, Call call);
  void call_handlers(WatchedConnection& watched, Call call);
  bool comes_with_input(WatchedConnection& watched);
  bool watch(WatchedConnection& watched, std::uint32_t events);
  void linger_or_finish(WatchedConnection& watched);
  void finish(WatchedConnection& watched);
  void on_overdue(WatchedConnection& watched, WatchedConnections::Limit limit);

  Child& child_;
  const Handler handler_;
  LoopTasks& tasks_;
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
