// SPDX-License-Identifier: MIT
// An event loop over a child's connections, run by one thread or several. In a child.
//
// Several threads are leader and followers: all wait on the one epoll set, and who gets an event handles it.
// The queue of what is ready is the kernel's. A connection is watched for one event at a time
// (EPOLLONESHOT), so no two threads ever have the same one. A single thread needs none of that: its
// connections stay watched, and an exchange costs no system call beyond wait, read and write.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>

#include "brood/child.hpp"
#include "brood/event_server.hpp"
#include "clock.hpp"

namespace brood {

class Reactor {
 public:
  // What becomes of a connection that is `fresh`, or else has something to be handled.
  using Handler = std::function<Then(Connection&, bool fresh)>;

  Reactor(Child& child, Handler handler);

  // In each thread. Returns when the child was told to leave and nothing is in hand any more.
  void run();

 private:
  enum class State { free, waiting, handled, lingering };
  struct Entry {
    std::optional<Connection> connection;
    State state = State::free;
    std::uint32_t incarnation = 0;  // a seat is known by (index, incarnation): events may come too late
    std::uint32_t watched_for = 0;  // events
    Then then = Then::wait;
    Time accepted, active;  // when something was last read or written
    std::list<Seat>::iterator by_age, by_activity;
  };

  std::unique_lock<std::mutex> turn();
  void on_event(std::uint64_t data);
  void on_listeners();
  void on_leave();
  void on_timer();
  void on_connection(std::uint64_t data);

  void add(Connection connection);
  Entry* claim(std::uint64_t data, Time now);
  void work(Entry& entry, bool fresh);
  void proceed(Entry& entry);
  void rest(Entry& entry, std::uint32_t events);
  void linger(Entry& entry);
  void finish(Entry& entry, Outcome outcome);
  void watch(Entry& entry, std::uint32_t events);
  void end_overdue(Entry& entry, const char* limit);
  void wake_at(Time time);
  Time due(const Entry& entry) const;
  static std::uint64_t key(const Entry& entry);

  Child& child_;
  const Handler handler_;
  const ChildLimits limits_;
  const bool threads_;
  Descriptor epoll_, timer_, end_;

  std::mutex turn_;  // for what follows; an entry that is `handled` is its thread's
  std::deque<Entry> entries_;  // by seat
  std::list<Seat> by_age_, by_activity_;
  std::list<Seat> spare_nodes_;
  bool leaving_ = false;
  Time wakes_at_ = never;
};

}  // namespace brood
