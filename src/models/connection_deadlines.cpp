// SPDX-License-Identifier: MIT
#include "models/connection_deadlines.hpp"

#include <algorithm>

namespace brood {
namespace {

using namespace std::chrono_literals;

// A child that leaves gives its idle connections so long for a request that is on its way.
constexpr auto last_request_time = 1s;

}  // namespace

Time ConnectionDeadlines::add(ConnectionId id, ConnectionState state, Time now, Time too_old,
                              Time first_byte) {
  if (entries_.size() <= id) entries_.resize(id + 1);
  entries_[id] = {.present = true,
                  .state = state,
                  .too_old = too_old,
                  .active = now,
                  .by_age = by_age_.insert(by_age_.end(), id),
                  .by_activity = by_activity_.insert(by_activity_.end(), id)};
  move(by_first_byte_, id, entries_[id].first_byte, first_byte);
  return set(id, state, now);
}

Time ConnectionDeadlines::set(ConnectionId id, ConnectionState state, Time now) {
  Entry& entry = entries_[id];
  entry.state = state;
  if (state == ConnectionState::held || entry.lingers) return due(entry);
  entry.active = now;
  entry.lingers = state == ConnectionState::lingering;
  if (entry.lingers) set_timer(id, never);
  auto& ordered = entry.lingers ? lingering_ : by_activity_;
  ordered.splice(ordered.end(), by_activity_, entry.by_activity);
  return due(entry);
}

Time ConnectionDeadlines::give_back(ConnectionId id, ConnectionState state) {
  entries_[id].state = state;
  return due(entries_[id]);
}

void ConnectionDeadlines::set_timer(ConnectionId id, Time time) {
  move(by_timer_, id, entries_[id].timer, time);
}

void ConnectionDeadlines::heard(ConnectionId id) { move(by_first_byte_, id, entries_[id].first_byte, never); }

void ConnectionDeadlines::move(ByTime& ordered, ConnectionId id, Time& time, Time to) {
  if (time != never) ordered.erase({time, id});
  time = to;
  if (time != never) ordered.emplace(time, id);
}

Time ConnectionDeadlines::set_deadline(ConnectionId id, Time until) {
  Entry& entry = entries_[id];
  if (entry.too_old != until) age_in_order_ = false;
  entry.too_old = until;
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
  set_timer(id, never);
  heard(id);
  by_age_.erase(entry.by_age);
  (entry.lingers ? lingering_ : by_activity_).erase(entry.by_activity);
}

Time ConnectionDeadlines::due_by(Limit limit, const Entry& entry) const {
  const auto after = [](Time since, Clock::duration time) { return time > 0ms ? since + time : never; };
  switch (limit) {
    case Limit::linger:
      return entry.lingers ? after(entry.active, Connection::linger_time) : never;
    case Limit::age:
      return entry.lingers ? never : entry.too_old;
    case Limit::timer:
      return entry.timer;
    case Limit::silence:
      return never;
    case Limit::first_byte:
    case Limit::inactivity:
      break;
  }
  const bool idle = entry.state == ConnectionState::idle;
  const bool reads = idle || entry.state == ConnectionState::waiting;
  if (limit == Limit::first_byte) return reads ? entry.first_byte : never;
  if (!reads && entry.state != ConnectionState::sending) return never;
  const Time due = after(entry.active, limits_.idle_timeout);
  if (!idle || left_at_ == never) return due;
  return std::min(due, std::max(entry.active, left_at_) + last_request_time);
}

Time ConnectionDeadlines::due(const Entry& entry) const {
  if (entry.state == ConnectionState::held) return never;
  return std::min({due_by(Limit::age, entry), due_by(Limit::inactivity, entry), due_by(Limit::linger, entry),
                   due_by(Limit::timer, entry), due_by(Limit::first_byte, entry)});
}

std::optional<ConnectionDeadlines::Silent> ConnectionDeadlines::longest_silent() const {
  const auto is_silent = [this](ConnectionId id) {
    const Entry& entry = entries_[id];
    const bool reads = entry.state == ConnectionState::waiting || entry.state == ConnectionState::idle;
    return reads && entry.timer == never;
  };
  const auto found = std::ranges::find_if(by_activity_, is_silent);
  if (found == by_activity_.end()) return {};
  return Silent{.id = *found, .since = entries_[*found].active};
}

// By age after by activity: what is taken by the one has no say in when the other is due next.
Time ConnectionDeadlines::take_overdue(Time now, std::vector<Overdue>& overdue) {
  return std::min({take_unheard(now, overdue), take(by_activity_, Limit::inactivity, now, overdue),
                   take(by_age_, Limit::age, now, overdue), take(lingering_, Limit::linger, now, overdue),
                   take_timers(now, overdue)});
}

Time ConnectionDeadlines::take(const std::list<ConnectionId>& ordered, Limit limit, Time now,
                               std::vector<Overdue>& overdue) {
  // The first connection that is not overdue ends the search; but once the child leaves, idle connections
  // have another limit than those before them in the list, as have those whose deadline was moved.
  const bool in_order = limit == Limit::age ? age_in_order_ : limit != Limit::inactivity || left_at_ == never;
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

Time ConnectionDeadlines::take_unheard(Time now, std::vector<Overdue>& overdue) {
  for (const auto& [time, id] : by_first_byte_) {
    if (time > now) return time;
    Entry& entry = entries_[id];
    // One that does something else is due when it waits for input.
    if (due_by(Limit::first_byte, entry) == never) continue;
    entry.state = ConnectionState::held;
    overdue.push_back({id, Limit::first_byte});
  }
  return never;
}

Time ConnectionDeadlines::take_timers(Time now, std::vector<Overdue>& overdue) {
  for (auto next = by_timer_.begin(); next != by_timer_.end();) {
    const auto [time, id] = *next++;
    Entry& entry = entries_[id];
    if (entry.state == ConnectionState::held) continue;
    if (time > now) return time;
    set_timer(id, never);
    entry.state = ConnectionState::held;
    overdue.push_back({id, Limit::timer});
  }
  return never;
}

}  // namespace brood
