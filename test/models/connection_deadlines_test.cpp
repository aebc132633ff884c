// SPDX-License-Identifier: MIT
// The limits of time that event loops share, against a time of the test's own.
#include "models/connection_deadlines.hpp"

#include <doctest/doctest.h>

using namespace brood;
using namespace std::chrono_literals;

namespace {

using Limit = ConnectionDeadlines::Limit;
using State = ConnectionState;

constexpr Time start = Time(1000s);

struct Deadlines : ConnectionDeadlines {
  explicit Deadlines(const ChildLimits& limits)
      : ConnectionDeadlines(limits), connection_timeout(limits.connection_timeout) {}

  // With the deadline that a connection has which was accepted now.
  Time add(ConnectionId id, State state, Time now) {
    return ConnectionDeadlines::add(id, state, now,
                                    connection_timeout > 0ms ? now + connection_timeout : never);
  }
  using ConnectionDeadlines::add;

  // Of those that are overdue at `now`, in this order.
  std::vector<std::pair<ConnectionId, Limit>> overdue(Time now) {
    std::vector<Overdue> all;
    next = take_overdue(now, all);
    std::vector<std::pair<ConnectionId, Limit>> pairs;
    for (const auto& each : all) pairs.emplace_back(each.id, each.limit);
    return pairs;
  }
  Time next = never;  // what take_overdue() returned
  const Clock::duration connection_timeout;
};

using Pairs = std::vector<std::pair<ConnectionId, Limit>>;

}  // namespace

TEST_CASE("without limits of time only what lingers is ever overdue") {
  Deadlines deadlines{ChildLimits()};
  CHECK(deadlines.add(0, State::handled, start) == never);
  CHECK(deadlines.add(1, State::waiting, start) == never);
  CHECK(deadlines.add(2, State::idle, start) == never);
  CHECK(deadlines.add(3, State::held, start) == never);
  CHECK(deadlines.overdue(start + 24h).empty());
  CHECK(deadlines.next == never);
  CHECK(deadlines.set(1, State::lingering, start + 24h) == start + 24h + Connection::linger_time);
  CHECK(deadlines.overdue(start + 24h + 1s).empty());
  CHECK(deadlines.next == start + 24h + Connection::linger_time);
  CHECK(deadlines.overdue(deadlines.next) == Pairs{{1, Limit::linger}});
}

TEST_CASE("connection-timeout is about the time since a connection was accepted, whatever it does") {
  Deadlines deadlines({.connection_timeout = 10s});
  CHECK(deadlines.add(0, State::handled, start) == start + 10s);
  CHECK(deadlines.add(1, State::handled, start + 1s) == start + 11s);
  CHECK(deadlines.add(2, State::handled, start + 2s) == start + 12s);
  CHECK(deadlines.set(0, State::waiting, start + 9s) == start + 10s);
  CHECK(deadlines.set(2, State::idle, start + 9s) == start + 12s);
  CHECK(deadlines.overdue(start + 10s - 1ns).empty());
  CHECK(deadlines.next == start + 10s);
  CHECK(deadlines.overdue(start + 11s) == Pairs{{0, Limit::age}, {1, Limit::age}});
  CHECK(deadlines.next == start + 12s);
}

TEST_CASE("a deadline that was moved moves its connection, and no other one") {
  Deadlines deadlines({.connection_timeout = 10s});
  deadlines.add(0, State::handled, start);
  deadlines.add(1, State::handled, start + 1s);
  CHECK(deadlines.set_deadline(0, start + 15s) == start + 15s);
  CHECK(deadlines.set(0, State::waiting, start + 2s) == start + 15s);
  deadlines.add(2, State::handled, start + 3s);
  CHECK(deadlines.overdue(start + 11s) == Pairs{{1, Limit::age}});
  CHECK(deadlines.next == start + 13s);
  CHECK(deadlines.overdue(start + 14s) == Pairs{{2, Limit::age}});
  CHECK(deadlines.next == start + 15s);
  CHECK(deadlines.overdue(start + 15s) == Pairs{{0, Limit::age}});
}

TEST_CASE("a deadline may come earlier, also without connection-timeout") {
  Deadlines deadlines(ChildLimits{});
  deadlines.add(0, State::handled, start);
  deadlines.add(1, State::waiting, start, start + 30s);
  CHECK(deadlines.set_deadline(0, start + 50s) == start + 50s);
  CHECK(deadlines.set_deadline(1, start + 5s) == start + 5s);
  CHECK(deadlines.overdue(start + 5s) == Pairs{{1, Limit::age}});
  CHECK(deadlines.next == start + 50s);
}

TEST_CASE("connection-idle-timeout is about the time since a connection was active, while it waits") {
  Deadlines deadlines({.idle_timeout = 10s});
  CHECK(deadlines.add(0, State::waiting, start) == start + 10s);
  CHECK(deadlines.add(1, State::waiting, start) == start + 10s);
  CHECK(deadlines.add(2, State::idle, start) == start + 10s);
  CHECK(deadlines.add(3, State::handled, start) == never);
  CHECK(deadlines.set(0, State::waiting, start + 5s) == start + 15s);
  CHECK(deadlines.overdue(start + 10s) == Pairs{{1, Limit::inactivity}, {2, Limit::inactivity}});
  CHECK(deadlines.next == start + 15s);
  CHECK(deadlines.set(3, State::waiting, start + 11s) == start + 21s);
  CHECK(deadlines.overdue(start + 20s) == Pairs{{0, Limit::inactivity}});
  CHECK(deadlines.next == start + 21s);
}

TEST_CASE("a connection that is beyond two limits is reported once, for its age") {
  Deadlines deadlines({.connection_timeout = 10s, .idle_timeout = 5s});
  CHECK(deadlines.add(0, State::waiting, start) == start + 5s);
  CHECK(deadlines.overdue(start + 10s) == Pairs{{0, Limit::age}});
  CHECK(deadlines.overdue(start + 20s).empty());
  CHECK(deadlines.set(0, State::waiting, start + 20s) == start + 10s);
}

TEST_CASE("a connection that is held is never overdue, and hides no other one") {
  Deadlines deadlines({.connection_timeout = 10s, .idle_timeout = 5s});
  deadlines.add(0, State::held, start);
  deadlines.add(1, State::waiting, start);
  deadlines.add(2, State::waiting, start + 7s);
  CHECK_FALSE(deadlines.hold(0));
  CHECK(deadlines.hold(2));
  CHECK_FALSE(deadlines.hold(2));
  CHECK_FALSE(deadlines.hold(3));  // never added
  CHECK(deadlines.overdue(start + 8s) == Pairs{{1, Limit::inactivity}});
  CHECK_FALSE(deadlines.hold(1));
  CHECK(deadlines.next == never);
  // Given back too late, it is due at once.
  CHECK(deadlines.set(0, State::waiting, start + 11s) == start + 10s);
  CHECK(deadlines.overdue(start + 11s) == Pairs{{0, Limit::age}});
}

TEST_CASE("the timer of a connection is due once, replaces the one before, and ends with it") {
  Deadlines deadlines({.idle_timeout = 60s});
  deadlines.add(0, State::held, start);
  deadlines.add(1, State::waiting, start);
  deadlines.add(2, State::waiting, start);
  deadlines.set_timer(0, start + 1s);
  deadlines.set_timer(1, start + 9s);
  deadlines.set_timer(1, start + 2s);
  deadlines.set_timer(2, start + 3s);
  CHECK(deadlines.overdue(start + 1s).empty());  // it is held
  CHECK(deadlines.next == start + 2s);
  CHECK(deadlines.set(0, State::waiting, start + 1s) == start + 1s);
  CHECK(deadlines.overdue(start + 2s) == Pairs{{0, Limit::timer}, {1, Limit::timer}});
  CHECK_FALSE(deadlines.hold(0));
  CHECK(deadlines.next == start + 3s);
  CHECK(deadlines.give_back(0, State::idle) == start + 61s);  // active since its last time, not since now
  CHECK(deadlines.give_back(1, State::idle) == start + 60s);
  deadlines.set_timer(0, start + 4s);
  deadlines.set_timer(0, never);
  deadlines.set_timer(1, start + 4s);
  CHECK(deadlines.set(1, State::lingering, start + 3s) == start + 3s + Connection::linger_time);
  deadlines.remove(2);
  CHECK(deadlines.overdue(start + 4s).empty());
  deadlines.add(2, State::waiting, start + 4s);
  CHECK(deadlines.overdue(start + 10s) == Pairs{{1, Limit::linger}});
}

TEST_CASE("to hold a connection does not count as activity") {
  Deadlines deadlines({.idle_timeout = 5s});
  deadlines.add(0, State::waiting, start);
  deadlines.add(1, State::waiting, start + 1s);
  deadlines.set(0, State::held, start + 4s);
  deadlines.remove(1);
  CHECK(deadlines.overdue(start + 9s).empty());
  CHECK(deadlines.set(0, State::waiting, start + 9s) == start + 14s);
}

TEST_CASE("a connection that lingers has no other limit, and the same one whatever the peer still sends") {
  Deadlines deadlines({.connection_timeout = 2500ms, .idle_timeout = 1s});
  deadlines.add(0, State::waiting, start);
  deadlines.add(1, State::handled, start + 1s);
  CHECK(deadlines.set(0, State::lingering, start + 1s) == start + 1s + Connection::linger_time);
  CHECK(deadlines.hold(0));
  CHECK(deadlines.set(0, State::lingering, start + 2s) == start + 1s + Connection::linger_time);
  // The oldest one lingers, and hides no other one from connection-timeout.
  CHECK(deadlines.overdue(start + 2500ms).empty());
  CHECK(deadlines.next == start + 1s + Connection::linger_time);
  CHECK(deadlines.overdue(start + 3500ms) == Pairs{{1, Limit::age}, {0, Limit::linger}});
}

TEST_CASE("when the child leaves, idle connections have a second for a last request") {
  Deadlines deadlines({.idle_timeout = 60s});
  deadlines.add(0, State::waiting, start);  // in the list before those that are due earlier
  deadlines.add(1, State::idle, start + 1s);
  deadlines.add(2, State::handled, start + 2s);
  deadlines.add(3, State::idle, start + 3s);
  deadlines.leave(start + 10s);
  CHECK(deadlines.overdue(start + 10s).empty());
  CHECK(deadlines.next == start + 11s);
  // A request came in time, and another second begins.
  CHECK(deadlines.set(3, State::idle, start + 10500ms) == start + 11500ms);
  CHECK(deadlines.overdue(start + 11s) == Pairs{{1, Limit::inactivity}});
  CHECK(deadlines.next == start + 11500ms);
  CHECK(deadlines.set(2, State::idle, start + 11s) == start + 12s);
  CHECK(deadlines.overdue(start + 12s) == Pairs{{3, Limit::inactivity}, {2, Limit::inactivity}});
  CHECK(deadlines.next == start + 60s);
  CHECK(deadlines.overdue(start + 60s) == Pairs{{0, Limit::inactivity}});
}

TEST_CASE("an earlier connection-idle-timeout stays, when the child leaves") {
  Deadlines deadlines({.idle_timeout = 500ms});
  deadlines.add(0, State::idle, start);
  deadlines.leave(start);
  CHECK(deadlines.overdue(start + 500ms) == Pairs{{0, Limit::inactivity}});
}

TEST_CASE("an id is used again after its connection was removed") {
  Deadlines deadlines({.connection_timeout = 10s});
  CHECK(deadlines.empty());
  deadlines.add(0, State::waiting, start);
  deadlines.set(0, State::lingering, start);
  CHECK_FALSE(deadlines.empty());
  deadlines.remove(0);
  CHECK(deadlines.empty());
  CHECK_FALSE(deadlines.hold(0));
  CHECK(deadlines.add(0, State::waiting, start + 5s) == start + 15s);
  CHECK(deadlines.overdue(start + 14s).empty());
  CHECK(deadlines.overdue(start + 15s) == Pairs{{0, Limit::age}});
}

TEST_CASE("of the connections that wait for input the one is found that has been silent for longest") {
  Deadlines deadlines{ChildLimits()};
  CHECK_FALSE(deadlines.longest_silent());
  for (const auto& [id, state] : {std::pair(0, State::sending), std::pair(1, State::handled),
                                  std::pair(2, State::waiting), std::pair(3, State::idle)})
    deadlines.add(static_cast<ConnectionId>(id), state, start + 1s * id);
  const auto longest = [&] { return deadlines.longest_silent().value(); };
  CHECK(longest().id == 2);
  CHECK(longest().since == start + 2s);
  deadlines.set_timer(2, start + 1h);
  CHECK(longest().id == 3);
  deadlines.set_timer(2, never);
  CHECK(longest().id == 2);
  CHECK(deadlines.hold(2));
  CHECK(longest().id == 3);
  deadlines.set(2, State::waiting, start + 10s);
  CHECK(longest().id == 3);
  deadlines.set(3, State::lingering, start + 11s);
  CHECK(longest().id == 2);
  deadlines.set(0, State::idle, start + 12s);
  deadlines.remove(2);
  CHECK(longest().since == start + 12s);
}

TEST_CASE("after one silent connection has ended the next look is soon") {
  CHECK(next_look_at_silence(start, ConnectionHost::no_limit) == never);
  CHECK(next_look_at_silence(start, 30ms) == start + 30ms);
  CHECK(next_look_at_silence(start, 0ms) == start + 1ms);
}

TEST_CASE("a connection is due if its peer has sent nothing in time, while it waits for input") {
  Deadlines deadlines{ChildLimits()};
  const Time limit = start + 10s;
  CHECK(deadlines.add(0, State::idle, start, never, limit) == limit);
  CHECK(deadlines.add(1, State::waiting, start, never, limit) == limit);
  CHECK(deadlines.add(2, State::handled, start, never, limit) == never);
  CHECK(deadlines.add(3, State::sending, start, never, limit) == never);
  CHECK(deadlines.add(4, State::held, start, never, limit) == never);
  CHECK(deadlines.add(5, State::waiting, start, never, limit + 1s) == limit + 1s);
  CHECK(deadlines.add(6, State::waiting, start, never, limit) == limit);
  deadlines.heard(1);
  CHECK(deadlines.set(1, State::waiting, start + 1s) == never);
  CHECK(deadlines.give_back(6, State::idle) == limit);
  CHECK(deadlines.overdue(limit - 1ms).empty());
  CHECK(deadlines.next == limit);
  CHECK(deadlines.overdue(limit) == Pairs{{0, Limit::first_byte}, {6, Limit::first_byte}});
  CHECK(deadlines.next == limit + 1s);
  // They are held now, and are no longer when they wait again.
  CHECK(deadlines.overdue(limit).empty());
  CHECK(deadlines.set(3, State::waiting, limit + 2s) == limit);
  CHECK(deadlines.overdue(limit + 2s) == Pairs{{3, Limit::first_byte}, {5, Limit::first_byte}});
  CHECK(deadlines.next == never);
  deadlines.heard(4);
  CHECK(deadlines.give_back(4, State::waiting) == never);
  for (ConnectionId id = 0; id < 7; ++id) deadlines.remove(id);
  CHECK(deadlines.add(0, State::waiting, limit + 3s, never) == never);
  CHECK(deadlines.overdue(limit + 24h).empty());
}

TEST_CASE("what lingers is not waited for any more, though its peer has never sent anything") {
  Deadlines deadlines{ChildLimits()};
  deadlines.add(0, State::waiting, start, never, start + 1s);
  CHECK(deadlines.set(0, State::lingering, start) == start + Connection::linger_time);
  CHECK(deadlines.overdue(start + 1s).empty());
  CHECK(deadlines.overdue(start + Connection::linger_time) == Pairs{{0, Limit::linger}});
}
