// SPDX-License-Identifier: MIT
#include "models/reactor.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/event_descriptor.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/handler_guard.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// A child that leaves gives its idle connections so long for a request that is on its way.
constexpr auto last_request_time = 1s;

// What a handler reads before others have their turn.
constexpr std::size_t most_at_once = 64 * 1024;

// Where handlers take their time, the listeners' turn comes once in a round of all that is ready, and with
// one connection a turn a crowd would wait for as many rounds.
constexpr unsigned accepts_between_handlers = 16;

// What epoll reports is a connection's (incarnation, seat), or one of these.
constexpr std::uint64_t listeners_key = UINT64_MAX;
constexpr std::uint64_t leave_key = UINT64_MAX - 1;
constexpr std::uint64_t timer_key = UINT64_MAX - 2;
constexpr std::uint64_t end_key = UINT64_MAX - 3;

void watch(const Descriptor& epoll, int descriptor, int operation, std::uint32_t events, std::uint64_t key) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll.get(), operation, descriptor, &event) != 0) throw SystemError("epoll_ctl", errno);
}

Descriptor checked(int descriptor, const char* what) {
  if (descriptor < 0) throw SystemError(what, errno);
  return Descriptor(descriptor);
}

// What it waits for has come, and only the loop was late.
bool is_ready(const Connection& connection) {
  pollfd answer{.fd = connection.descriptor(),
                .events = static_cast<short>(connection.has_output() ? POLLOUT : POLLIN),
                .revents = 0};
  return ::poll(&answer, 1, 0) > 0;
}

}  // namespace

Reactor::Reactor(Child& child, Handler handler)
    : child_(child),
      handler_(std::move(handler)),
      limits_(child.limits()),
      threads_(limits_.threads > 1),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      timer_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")),
      end_(new_event()) {
  child_.watch_listeners(epoll_.get(), listeners_key);
  watch(epoll_, child_.leave_fd(), EPOLL_CTL_ADD, EPOLLIN, leave_key);
  watch(epoll_, timer_.get(), EPOLL_CTL_ADD, EPOLLIN, timer_key);
  watch(epoll_, end_.get(), EPOLL_CTL_ADD, EPOLLIN, end_key);
}

std::unique_lock<std::mutex> Reactor::turn() {
  return threads_ ? std::unique_lock(turn_) : std::unique_lock<std::mutex>();
}

void Reactor::run() {
  try {
    loop();
  } catch (...) {  // the others would wait for what this thread had in hand
    end();
    throw;
  }
}

void Reactor::loop() {
  // One at a time for one of several threads: what it took further would wait for its handler, not for
  // another thread's.
  std::array<epoll_event, 64> events;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the kernel
  for (;;) {
    const int number =
        ::epoll_wait(epoll_.get(), events.data(), threads_ ? 1 : static_cast<int>(events.size()), -1);
    if (number < 0 && errno != EINTR) throw SystemError("epoll_wait", errno);
    for (int i = 0; i < number; ++i) {
      const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
      if (key == end_key) return;
      on_event(key);
    }
  }
}

void Reactor::on_event(std::uint64_t key) {
  switch (key) {
    case listeners_key:
      return on_listeners();
    case leave_key:
      return on_leave();
    case timer_key:
      return on_timer();
    default:
      return on_connection(key);
  }
}

// A single thread takes one at a time: what else waits is for this child only if it has nothing better to do.
void Reactor::on_listeners() {
  {
    const auto turn = this->turn();
    if (leaving_) return;
    ++accepting_;
  }
  const unsigned most = threads_ ? accepts_between_handlers : 1;
  for (unsigned i = 0; i < most; ++i) {
    auto connection = child_.try_accept();
    if (!connection) break;
    add(std::move(*connection));
  }
  const auto turn = this->turn();
  --accepting_;
  end_if_empty();
}

void Reactor::on_leave() {
  {
    const auto turn = this->turn();
    if (leaving_) return;
    leaving_ = true;
    left_at_ = Clock::now();
    watch(epoll_, child_.leave_fd(), EPOLL_CTL_DEL, 0, 0);
  }
  while (auto connection = child_.try_accept()) add(std::move(*connection));
  const auto turn = this->turn();
  looked_last_ = true;
  wake_at(left_at_);  // idle ones have another limit now
  end_if_empty();
}

void Reactor::end_if_empty() {
  if (looked_last_ && accepting_ == 0 && by_age_.empty()) end();
}

void Reactor::end() {
  if (!tell_event(end_.get())) throw SystemError("end the event loop", errno);
}

// ---- connections

void Reactor::add(Connection connection) {
  const ConnectionId id = connection.id();
  Entry* entry = nullptr;
  {
    const auto turn = this->turn();
    while (entries_.size() <= id) entries_.emplace_back();
    entry = &entries_[id];
    entry->connection.emplace(std::move(connection));
    entry->state = State::guard_handler;
    entry->lingers = false;
    entry->next = Next::more_input;
    entry->watched_for = 0;
    entry->accepted = entry->active = Clock::now();
    entry->by_age = by_age_.insert(by_age_.end(), id);
    entry->by_activity = by_activity_.insert(by_activity_.end(), id);
  }
  work(*entry, true);
}

// Empty: the connection is gone, or another thread has it.
Reactor::Entry* Reactor::claim(std::uint64_t key) {
  const auto id = static_cast<ConnectionId>(key);
  const auto turn = this->turn();
  if (id >= entries_.size()) return nullptr;
  Entry& entry = entries_[id];
  if (entry.incarnation != key >> 32U || entry.state != State::waiting) return nullptr;
  entry.state = State::guard_handler;
  return &entry;
}

void Reactor::on_connection(std::uint64_t key) {
  Entry* const entry = claim(key);
  if (entry == nullptr) return;
  if (!entry->lingers) return work(*entry, false);
  if (entry->connection->read_away())
    finish(*entry);
  else
    rest(*entry, EPOLLIN);
}

void Reactor::work(Entry& entry, bool fresh) {
  Connection& connection = *entry.connection;
  entry.outcome = guard_handler(
      [&] {
        // Before what was written has been sent, the handler is not called.
        if (!connection.flush() || (entry.next == Next::close && !fresh)) return;
        connection.allow(most_at_once);
        entry.next = handler_(connection, fresh);
      },
      [&] { return name(entry); });
  if (entry.outcome == Outcome::failed) return linger_or_finish(entry);
  if (connection.has_output()) return rest(entry, EPOLLOUT);
  if (entry.next != Next::close && !connection.ended()) return rest(entry, EPOLLIN);
  linger_or_finish(entry);
}

void Reactor::rest(Entry& entry, std::uint32_t events) {
  const Outcome outcome = guard_handler([&] { give_back(entry, events); }, [&] { return name(entry); });
  if (outcome == Outcome::served) return;  // and the entry may be another thread's by now
  entry.outcome = outcome;
  finish(entry);
}

// To be had by who gets its next event.
void Reactor::give_back(Entry& entry, std::uint32_t events) {
  const auto turn = this->turn();
  if (!entry.lingers) {
    entry.active = Clock::now();
    by_activity_.splice(by_activity_.end(), by_activity_, entry.by_activity);
  }
  if (threads_ || entry.watched_for != events) rewatch(entry, events);
  entry.state = State::waiting;
  wake_at(due(entry));
}

void Reactor::rewatch(Entry& entry, std::uint32_t events) {
  const std::uint64_t key = std::uint64_t{entry.incarnation} << 32U | entry.connection->id();
  watch(epoll_, entry.connection->descriptor(), entry.watched_for == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
        events | (threads_ ? EPOLLONESHOT : 0U), key);
  entry.watched_for = events;
}

void Reactor::linger_or_finish(Entry& entry) {
  if (!entry.connection->half_close()) return finish(entry);
  entry.lingers = true;
  entry.active = Clock::now();
  {
    const auto turn = this->turn();
    lingering_.splice(lingering_.end(), by_activity_, entry.by_activity);
  }
  rest(entry, EPOLLIN);
}

void Reactor::finish(Entry& entry) {
  std::optional<Connection> connection;
  {
    const auto turn = this->turn();
    connection.swap(entry.connection);
    entry.state = State::free;
    ++entry.incarnation;
    by_age_.erase(entry.by_age);
    (entry.lingers ? lingering_ : by_activity_).erase(entry.by_activity);
  }
  child_.finished(std::move(*connection), entry.outcome);
  const auto turn = this->turn();
  end_if_empty();
}

// ---- time

// When a connection that nobody handles is to be ended. A handler that takes too long is the parent's to
// end, with its child.
Time Reactor::due(const Entry& entry) const {
  if (entry.lingers) return entry.active + Connection::linger_time;
  Time due = never;
  const auto limit = [&](Time since, Clock::duration time) { due = std::min(due, since + time); };
  if (limits_.idle_timeout > 0ms) limit(entry.active, limits_.idle_timeout);
  if (limits_.connection_timeout > 0ms) limit(entry.accepted, limits_.connection_timeout);
  if (leaving_ && entry.next == Next::request && !entry.connection->has_output())
    limit(std::max(entry.active, left_at_), last_request_time);
  return due;
}

// Returns when the next one is due. The lists are in the order of one limit each, so that the first one that
// is not overdue ends the search; but when the child leaves, idle connections have another limit than others.
Time Reactor::collect_overdue(const std::list<ConnectionId>& in_order, Time now,
                              std::vector<Entry*>& overdue) {
  Time next = never;
  for (const ConnectionId id : in_order) {
    Entry& entry = entries_[id];
    if (entry.state == State::guard_handler) continue;
    if (entry.lingers && &in_order == &by_age_) continue;  // it has a list and a limit of its own
    const Time time = due(entry);
    if (time <= now) {
      entry.state = State::guard_handler;
      overdue.push_back(&entry);
    } else {
      next = std::min(next, time);
      if (!leaving_) break;
    }
  }
  return next;
}

void Reactor::on_timer() {
  std::uint64_t ticks = 0;
  if (::read(timer_.get(), &ticks, sizeof ticks) < 0) return;  // another thread's
  const Time now = Clock::now();
  std::vector<Entry*> overdue;
  {
    const auto turn = this->turn();
    wakes_at_ = never;
    Time next = collect_overdue(by_activity_, now, overdue);
    next = std::min(next, collect_overdue(by_age_, now, overdue));
    wake_at(std::min(next, collect_overdue(lingering_, now, overdue)));
  }
  for (Entry* const entry : overdue) end_overdue(*entry, now);
}

void Reactor::end_overdue(Entry& entry, Time now) {
  Connection& connection = *entry.connection;
  if (entry.lingers) return finish(entry);
  if (limits_.connection_timeout > 0ms && now - entry.accepted >= limits_.connection_timeout) {
    log_warning(text(name(entry), ": beyond connection-timeout; it is closed"));
    entry.outcome = Outcome::failed;
  } else if (is_ready(connection)) {
    return work(entry, false);
  } else if (connection.has_output()) {
    entry.outcome = Outcome::failed;  // the peer doesn't take its answer
  }
  connection.half_close();  // and no lingering after it
  finish(entry);
}

void Reactor::wake_at(Time time) {
  if (time >= wakes_at_) return;
  wakes_at_ = time;
  const std::int64_t nanoseconds = std::max<std::int64_t>(to_nanoseconds(time), 1);
  const itimerspec at{
      .it_interval = {},
      .it_value = {.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000}};
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
}

}  // namespace brood
