// SPDX-License-Identifier: MIT
#include "models/connection_deadlines.hpp"

#include <algorithm>

namespace brood {
namespace {

using namespace std::chrono_literals;

// A child that leaves gives its idle connections so long for a request that is on its way.
constexpr auto last_request_time = 1s;

}  // namespace

Time ConnectionDeadlines::add(ConnectionId id, ConnectionState state, Time now) {
  if (entries_.size() <= id) entries_.resize(id + 1);
  entries_[id] = {.present = true,
                  .state = state,
                  .accepted = now,
                  .active = now,
                  .by_age = by_age_.insert(by_age_.end(), id),
                  .by_activity = by_activity_.insert(by_activity_.end(), id)};
  return set(id, state, now);
}

Time ConnectionDeadlines::set(ConnectionId id, ConnectionState state, Time now) {
  Entry& entry = entries_[id];
  entry.state = state;
  if (state == ConnectionState::held || entry.lingers) return due(entry);
  entry.active = now;
  entry.lingers = state == ConnectionState::lingering;
  auto& ordered = entry.lingers ? lingering_ : by_activity_;
  ordered.splice(ordered.end(), by_activity_, entry.by_activity);
  return due(entry);
}

bool ConnectionDeadlines::hold(ConnectionId id) {
  if (id >= entries_.size() || !entries_[id].present || entries_[id].state == ConnectionState::held)
    return false;
  entries_[id].state = ConnectionState::held;
  return true;
}

void ConnectionDeadlines::remove(ConnectionId id) {
  Entry& entry = entries_[id];
  entry.present = false;
  by_age_.erase(entry.by_age);
  (entry.lingers ? lingering_ : by_activity_).erase(entry.by_activity);
}

Time ConnectionDeadlines::due_by(Limit limit, const Entry& entry) const {
  const auto after = [](Time since, Clock::duration time) { return time > 0ms ? since + time : never; };
  switch (limit) {
    case Limit::linger:
      return entry.lingers ? after(entry.active, Connection::linger_time) : never;
    case Limit::age:
      return entry.lingers ? never : after(entry.accepted, limits_.connection_timeout);
    case Limit::inactivity:
      break;
  }
  const bool idle = entry.state == ConnectionState::idle;
  if (!idle && entry.state != ConnectionState::waiting) return never;
  const Time due = after(entry.active, limits_.idle_timeout);
  if (!idle || left_at_ == never) return due;
  return std::min(due, std::max(entry.active, left_at_) + last_request_time);
}

Time ConnectionDeadlines::due(const Entry& entry) const {
  if (entry.state == ConnectionState::held) return never;
  return std::min(
      {due_by(Limit::age, entry), due_by(Limit::inactivity, entry), due_by(Limit::linger, entry)});
}

// By age after by activity: what is taken by the one has no say in when the other is due next.
Time ConnectionDeadlines::take_overdue(Time now, std::vector<Overdue>& overdue) {
  return std::min({take(by_activity_, Limit::inactivity, now, overdue),
                   take(by_age_, Limit::age, now, overdue), take(lingering_, Limit::linger, now, overdue)});
}

Time ConnectionDeadlines::take(const std::list<ConnectionId>& ordered, Limit limit, Time now,
                               std::vector<Overdue>& overdue) {
  // The first connection that is not overdue ends the search; but once the child leaves, idle connections
  // have another limit than those before them in the list.
  const bool in_order = limit != Limit::inactivity || left_at_ == never;
  Time next = never;
  for (const ConnectionId id : ordered) {
    Entry& entry = entries_[id];
    const Time time = entry.state == ConnectionState::held ? never : due_by(limit, entry);
    if (time <= now) {
      entry.state = ConnectionState::held;
      overdue.push_back({id, due_by(Limit::age, entry) <= now ? Limit::age : limit});
    } else if (time != never) {
      next = std::min(next, time);
      if (in_order) break;
    }
  }
  return next;
}

}  // namespace brood
