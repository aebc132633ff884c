// SPDX-License-Identifier: MIT
#include "models/event_loop/reactor.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include "base/event_descriptor.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "models/connection_outcome.hpp"

namespace brood {
namespace {

// What a handler reads before others have their turn.
constexpr std::size_t most_at_once = 65'536;

// If handlers take their time, the listeners' turn comes once in a round of all that is ready, and with one
// connection a turn a crowd would wait for as many rounds. Only the first of them is read at once: a crowd
// with its requests must not keep out the connections that are open.
constexpr unsigned accepts_between_handlers = 16;

// The key of an epoll event is a connection's, or one of these.
constexpr std::uint64_t listeners_key = UINT64_MAX;
constexpr std::uint64_t leave_key = UINT64_MAX - 1;
constexpr std::uint64_t timer_key = UINT64_MAX - 2;
constexpr std::uint64_t end_key = UINT64_MAX - 3;
constexpr std::uint64_t tasks_key = UINT64_MAX - 4;

// What the connection waits for has come, and only the loop was late.
bool is_ready(const Connection& connection) {
  return events_now(connection.descriptor(), connection.has_output() ? POLLOUT : POLLIN) != 0;
}

}  // namespace

Reactor::Reactor(Child& child, Handler handler, LoopTasks& tasks)
    : child_(child),
      handler_(std::move(handler)),
      tasks_(tasks),
      threads_(child.limits().threads > 1),
      end_(new_event()),
      connections_(child.limits(), epoll_),
      mutex_(threads_) {
  child_.watch_listeners(epoll_.descriptor(), listeners_key);
  epoll_.add(child_.leave_fd(), EPOLLIN, leave_key);
  epoll_.add(connections_.timer(), EPOLLIN, timer_key);
  epoll_.add(end_.get(), EPOLLIN, end_key);
  tasks_.attach(epoll_, tasks_key, [this](std::uint64_t key, LoopTasks::ConnectionTask task) {
    WatchedConnection* const connection = connections_.give(key, std::move(task));
    if (connection != nullptr) handle(*connection, Call::task);
  });
}

void Reactor::run() {
  try {
    loop();
  } catch (...) {  // the other threads would wait for the connections that this one holds
    end();
    throw;
  }
}

void Reactor::loop() {
  std::array<epoll_event, 64> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the kernel
  // One of several threads takes one event: a second one would wait for the handler of the first, although
  // another thread is free.
  const auto usable = std::span(room).first(threads_ ? 1 : room.size());
  for (;;)
    for (const epoll_event& event : epoll_.wait(usable)) {
      if (event.data.u64 == end_key) return;
      on_event(event.data.u64);
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
    case tasks_key:
      return tasks_.run();
    default:
      return on_connection(key);
  }
}

// A single thread takes one at a time: what else waits is for this child only if it has nothing better to do.
void Reactor::on_listeners() {
  {
    const std::lock_guard lock(mutex_);
    if (leaving_ && child_.beginning() == 0) return;
    ++accepting_;
  }
  const unsigned most = threads_ ? accepts_between_handlers : 1;
  for (unsigned i = 0; i < most; ++i) {
    auto connection = child_.try_accept();
    if (!connection) break;
    WatchedConnection& accepted = connections_.add(std::move(*connection));
    accepted.reads_at_once = threads_ && i == 0;
    handle(accepted, Call::accepted);
  }
  {
    const std::lock_guard lock(mutex_);
    --accepting_;
  }
  end_silent();
  end_if_empty();
}

void Reactor::on_leave() {
  {
    const std::lock_guard lock(mutex_);
    if (leaving_) return;
    leaving_ = true;
    epoll_.remove(child_.leave_fd());
  }
  connections_.leave(Clock::now());
  while (auto connection = child_.try_accept())
    handle(connections_.add(std::move(*connection)), Call::accepted);
  {
    const std::lock_guard lock(mutex_);
    looked_last_ = true;
  }
  end_if_empty();
}

// Once nothing more is accepted, what is empty stays empty.
void Reactor::end_if_empty() {
  {
    const std::lock_guard lock(mutex_);
    if (!looked_last_ || accepting_ > 0) return;
  }
  if (connections_.empty() && child_.beginning() == 0) end();
}

void Reactor::end() {
  if (!tell_event(end_.get())) throw SystemError("end the event loop", errno);
}

void Reactor::on_timer() {
  for (const auto& [connection, limit] : connections_.take_overdue(Clock::now()))
    on_overdue(connection, limit);
  end_silent();
}

// One at a time: then a client that waits takes its place, and fewer wait.
void Reactor::end_silent() {
  if (!child_.overloaded()) return;
  if (const auto silent = connections_.take_silent(child_, Clock::now()))
    on_overdue(silent->connection, silent->limit);
}

// ---- connections

void Reactor::on_connection(std::uint64_t key) {
  WatchedConnection* const connection = connections_.claim(key);
  if (connection == nullptr) return;
  if (!connection->lingers) return handle(*connection, Call::input);
  if (connection->open().drop_input())
    finish(*connection);
  else
    watch(*connection, EPOLLIN);
}

void Reactor::handle(WatchedConnection& watched, Call call) {
  while (!handle_once(watched, call)) call = Call::task;
}

// False: it is still held, because functions were posted to it.
bool Reactor::handle_once(WatchedConnection& watched, Call call) {
  Connection& connection = watched.open();
  const auto traffic = [&] { return connection.bytes_read() + connection.bytes_written(); };
  const std::uint64_t before = traffic();
  bool returned = false;
  watched.outcome = guard_connection(connection, [&] {
    call_handlers(watched, call);
    returned = true;
  });
  // A timer, and what others post, is not the peer's doing.
  watched.active = (call != Call::timer && call != Call::task) || traffic() != before;
  if (returned) {
    if (connection.has_output()) return watch(watched, EPOLLOUT);
    if (watched.next != Next::close && !connection.ended()) return watch(watched, EPOLLIN);
  }
  linger_or_finish(watched);
  return true;
}

// None is called before what was written has been sent. A handler may take one line, or one frame, and leave
// the next one in the buffer, where epoll does not see it.
void Reactor::call_handlers(WatchedConnection& watched, Call call) {
  Connection& connection = watched.open();
  const bool tasks = call == Call::task;
  if (tasks && connections_.has_too_many_tasks(watched))
    throw TimeoutError(text("too many functions wait until ", connection.peer(), " takes its output"));
  bool input = (call != Call::timer && !tasks) || connection.has_output();
  connection.flush();
  connection.limit_input(most_at_once);
  while (!connection.has_output() && watched.next != Next::close) {
    const bool timer = std::exchange(watched.timer_due, false);
    const auto task = tasks && !timer ? connections_.take_task(watched) : LoopTasks::ConnectionTask();
    if (!timer && !task && !input) return;
    const std::uint64_t taken = connection.bytes_taken();
    if (task)
      watched.next = task(connection, watched.next);
    else if (timer)
      watched.next = handler_(connection, Call::timer);
    else
      watched.next = handler_(
          connection, std::exchange(call, Call::input) == Call::accepted ? Call::accepted : Call::input);
    const bool again = connection.bytes_taken() != taken && connection.has_unseen_input();
    input = again || ((timer || task) && input) || comes_with_input(watched);
  }
}

// With several threads a connection whose input is there when it is watched wakes another thread for it.
bool Reactor::comes_with_input(WatchedConnection& watched) {
  if (!std::exchange(watched.reads_at_once, false)) return false;
  const Connection& connection = watched.open();
  if (connection.has_output() || watched.next == Next::close || !is_ready(connection)) return false;
  connections_.heard(watched);
  return true;
}

bool Reactor::watch(WatchedConnection& watched, std::uint32_t events) {
  bool watches = false;
  const Outcome outcome =
      guard_connection(watched.open(), [&] { watches = connections_.watch(watched, events); });
  if (outcome == Outcome::served) return watches;  // another thread may hold it already
  watched.outcome = outcome;
  finish(watched);
  return true;
}

void Reactor::linger_or_finish(WatchedConnection& watched) {
  if (!watched.open().half_close()) return finish(watched);
  watched.lingers = true;
  watch(watched, EPOLLIN);
}

void Reactor::finish(WatchedConnection& watched) {
  const Outcome outcome = watched.outcome;
  child_.finished(connections_.remove(watched), outcome);
  end_if_empty();
}

// Of the limits of time: a handler that takes too long is not among these: the parent ends it, with its
// child.
void Reactor::on_overdue(WatchedConnection& watched, WatchedConnections::Limit limit) {
  Connection& connection = watched.open();
  switch (limit) {
    case WatchedConnections::Limit::linger:
      return finish(watched);
    case WatchedConnections::Limit::timer:
      watched.timer_due = true;
      return handle(watched, Call::timer);
    case WatchedConnections::Limit::age:
      log_too_old(connection);
      watched.outcome = Outcome::timed_out;
      break;
    case WatchedConnections::Limit::first_byte:
      if (is_ready(connection)) return handle(watched, Call::input);
      log_no_first_byte(connection);
      watched.outcome = Outcome::timed_out;
      break;
    case WatchedConnections::Limit::silence:
    case WatchedConnections::Limit::inactivity:
      if (is_ready(connection)) return handle(watched, Call::input);
      if (limit == WatchedConnections::Limit::silence) log_too_silent(connection);
      // Between two requests nothing is missing.
      if (connection.has_output() || connection.bytes_read() == 0 || watched.next != Next::request)
        watched.outcome = Outcome::timed_out;
      break;
  }
  connection.half_close();  // and no lingering after it
  finish(watched);
}

}  // namespace brood
