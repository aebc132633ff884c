// SPDX-License-Identifier: MIT
// When each connection of an event loop is to be ended: connection-timeout, connection-idle-timeout,
// first-byte-timeout, the second that a child which leaves gives its idle connections, and the time for a
// lingering close; when the timer that a handler has set is over; and which one has been silent for longest,
// for overload-read-timeout. Pure: the time is an argument, and nothing is closed here. Knows neither sockets
// nor threads.
#pragma once

#include <algorithm>
#include <list>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "brood/child.hpp"

namespace brood {

// What a connection does, as far as a limit depends on it.
enum class ConnectionState : std::uint8_t {
  held,       // a thread works on it: no limit is checked until it is given back
  handled,    // its handler does something else than wait for the peer: connection-timeout
  waiting,    // for the peer, within a request: connection-idle-timeout as well
  sending,    // the same, and the peer has to take output first
  idle,       // between two requests: the same, and a second after the child was told to leave
  lingering,  // all is said, and what the peer still sends is read away: Connection::linger_time alone
};

class ConnectionDeadlines {
 public:
  enum class Limit : std::uint8_t { age, inactivity, linger, timer, silence, first_byte };
  struct Overdue {
    ConnectionId id;
    Limit limit;
  };

  explicit ConnectionDeadlines(const ChildLimits& limits) : limits_(limits) {}

  // These return when the connection is due, or `never`. `too_old`: its deadline, or `never`.
  // `first_byte`: when its peer must have sent one, or `never`.
  Time add(ConnectionId id, ConnectionState state, Time now, Time too_old, Time first_byte = never);
  void heard(ConnectionId id);  // its peer has sent something
  // Something was read or written, or a wait began; for `held` and for a connection that lingers already the
  // time of that does not change.
  Time set(ConnectionId id, ConnectionState state, Time now);

  // The same, when nothing was read or written.
  Time give_back(ConnectionId id, ConnectionState state);

  // From then on the connection is too old.
  Time set_deadline(ConnectionId id, Time until);

  // In place of what was set before. `never`: none. What is due is taken once.
  void set_timer(ConnectionId id, Time time);

  bool hold(ConnectionId id);  // false: it is held already, or was removed
  bool lingers(ConnectionId id) const { return entries_[id].lingers; }
  void remove(ConnectionId id);
  bool empty() const { return by_age_.empty(); }

  void leave(Time now) { left_at_ = now; }  // the child was told to leave

  // The one that has waited longest for its peer's input. No timer is set for it: then its handler may want
  // the peer to be silent.
  struct Silent {
    ConnectionId id;
    Time since;
  };
  std::optional<Silent> longest_silent() const;

  // Appends what is overdue, which is held from then on. Returns when the next connection is due.
  Time take_overdue(Time now, std::vector<Overdue>& overdue);

 private:
  struct Entry {
    bool present = false;
    bool lingers = false;
    ConnectionState state = ConnectionState::held;
    Time too_old, active, timer = never, first_byte = never;
    std::list<ConnectionId>::iterator by_age, by_activity;
  };

  Time due_by(Limit limit, const Entry& entry) const;
  Time due(const Entry& entry) const;
  Time take(const std::list<ConnectionId>& ordered, Limit limit, Time now, std::vector<Overdue>& overdue);
  Time take_timers(Time now, std::vector<Overdue>& overdue);
  Time take_unheard(Time now, std::vector<Overdue>& overdue);
  // `time`: that of the connection in `ordered`; `never`: it is not there.
  using ByTime = std::set<std::pair<Time, ConnectionId>>;
  static void move(ByTime& ordered, ConnectionId id, Time& time, Time to);

  const ChildLimits limits_;
  std::vector<Entry> entries_;  // by id
  // Each in the order of one limit. A connection is in the first one, and in one of the others.
  std::list<ConnectionId> by_age_, by_activity_, lingering_;
  ByTime by_timer_, by_first_byte_;
  bool age_in_order_ = true;  // false: a deadline was moved
  Time left_at_ = never;
};

// After a look at the one that has been silent for longest. If one ends, the next may have to as soon as a
// client that waits has its place.
inline Time next_look_at_silence(Time now, std::chrono::nanoseconds patience) {
  constexpr std::chrono::nanoseconds soon = std::chrono::milliseconds(1);
  return patience == ConnectionHost::no_limit ? never : now + std::max(patience, soon);
}

}  // namespace brood
