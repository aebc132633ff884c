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
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "brood/child.hpp"
#include "brood/event_server.hpp"

namespace brood {

class Reactor {
 public:
  // What becomes of a connection that is `fresh`, or else has something to be handled.
  using Handler = std::function<Next(Connection&, bool fresh)>;

  Reactor(Child& child, Handler handler);

  // In each thread. Returns when the child was told to leave and nothing is in hand any more.
  void run();

 private:
  enum class State { free, waiting, guard_handler };
  struct Entry {
    std::optional<Connection> connection;
    State state = State::free;
    std::uint32_t incarnation = 0;  // a seat is known by (index, incarnation): events may come too late
    std::uint32_t watched_for = 0;  // events
    bool lingers = false;           // all is said; what the peer still says is read away
    Next next = Next::more_input;
    Outcome outcome = Outcome::served;
    Time accepted, active;  // when something was last read or written
    std::list<ConnectionId>::iterator by_age, by_activity;
  };

  static std::string name(const Entry& entry) { return "connection from " + entry.connection->peer(); }
  std::unique_lock<std::mutex> turn();
  void loop();
  void end();
  void on_event(std::uint64_t data);
  void on_listeners();
  void on_leave();
  void on_timer();
  void on_connection(std::uint64_t data);

  void add(Connection connection);
  Entry* claim(std::uint64_t data);
  // The caller has the entry, in state `handled`, and has it no more then:
  void work(Entry& entry, bool fresh);
  void rest(Entry& entry, std::uint32_t events);
  void linger_or_finish(Entry& entry);
  void finish(Entry& entry);
  void end_overdue(Entry& entry, Time now);

  void give_back(Entry& entry, std::uint32_t events);

  // The caller has the turn:
  void rewatch(Entry& entry, std::uint32_t events);
  Time due(const Entry& entry) const;
  Time collect_overdue(const std::list<ConnectionId>& in_order, Time now, std::vector<Entry*>& overdue);
  void wake_at(Time time);
  void end_if_empty();

  Child& child_;
  const Handler handler_;
  const ChildLimits limits_;
  const bool threads_;
  Descriptor epoll_, timer_, end_;

  std::mutex turn_;            // for what follows; an entry that is `handled` is its thread's
  std::deque<Entry> entries_;  // by seat
  std::list<ConnectionId> by_age_, by_activity_, lingering_;
  unsigned accepting_ = 0;  // threads
  bool leaving_ = false;
  Time left_at_ = never;      // when it became true
  bool looked_last_ = false;  // nothing more is accepted
  Time wakes_at_ = never;
};

}  // namespace brood
