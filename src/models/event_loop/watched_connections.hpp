// SPDX-License-Identifier: MIT
// The connections of a reactor: which of them a thread works on, what epoll watches each of the others for,
// and when each one is due. Calls no handler, and ends no connection.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <vector>

#include "brood/event_server.hpp"
#include "models/connection_deadlines.hpp"
#include "models/epoll_set.hpp"
#include "models/event_loop/loop_tasks.hpp"
#include "models/thread_mutex.hpp"
#include "models/wake_timer.hpp"

namespace brood {

// Belongs to the thread that holds it.
struct WatchedConnection {
  // As long as a thread holds it.
  Connection& open() { return *connection; }  // NOLINT(bugprone-unchecked-optional-access)

  std::optional<Connection> connection;
  Next next = Next::more_input;
  Outcome outcome = Outcome::served;
  bool active = true;             // something was read or written, or it is about to be
  bool reads_at_once = false;     // after handle_accepted(), if input is there
  bool timer_due = false;         // its handler was not called for it yet
  bool lingers = false;           // all is said; what the peer still sends is read away
  std::uint32_t watched_for = 0;  // events; 0: epoll does not have it yet
  // Not only of the thread that holds it:
  std::list<LoopTasks::ConnectionTask> tasks;  // wait for its turn
  bool too_many_tasks = false;
  std::uint32_t use = 0;  // of this place: an event may come after its connection is gone
};

// Any thread may call it. A connection is watched for one event at a time (EPOLLONESHOT), so that no two
// threads hold the same one; a single thread needs no such thing, and saves the system call.
class WatchedConnections {
 public:
  using Limit = ConnectionDeadlines::Limit;
  struct Overdue {
    WatchedConnection& connection;
    Limit limit;
  };

  // `epoll` outlives it.
  WatchedConnections(const ChildLimits& limits, const EpollSet& epoll);

  // What these return is held by the caller.
  WatchedConnection& add(Connection connection);
  WatchedConnection* claim(std::uint64_t key);  // of an event; nullptr: it is gone, or another thread has it
  std::vector<Overdue> take_overdue(Time now);
  // While the service is overloaded: the one that has been silent for longest, if it must end.
  std::optional<Overdue> take_silent(Child& child, Time now);
  // Gives it a function to run. nullptr: it is gone, or the thread that has it will run the function.
  WatchedConnection* give(std::uint64_t key, LoopTasks::ConnectionTask task);

  // The caller holds `connection`.
  void heard(const WatchedConnection& connection);  // its peer has sent something
  std::uint64_t key_of(const Connection& connection);
  LoopTasks::ConnectionTask take_task(WatchedConnection& connection);  // empty: there is none
  bool has_too_many_tasks(const WatchedConnection& connection);

  // The caller holds `connection`, and no longer does then. Throws SystemError: it holds it still.
  // False: it holds it still, and has functions to run.
  bool watch(WatchedConnection& connection, std::uint32_t events);
  // Its timer. `never`: none.
  void set_timer(const Connection& connection, Time time);
  Connection remove(WatchedConnection& connection);

  bool empty();
  void leave(Time now);  // the child was told to leave

  int timer() const { return timer_.descriptor(); }  // readable when one may be overdue

 private:
  const bool threads_;
  const EpollSet& epoll_;
  ThreadMutex mutex_;                          // for what follows
  std::deque<WatchedConnection> connections_;  // by id
  ConnectionDeadlines deadlines_;
  WakeTimer timer_;
};

}  // namespace brood
