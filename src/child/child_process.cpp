// SPDX-License-Identifier: MIT
#include "child/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/event_descriptor.hpp"
#include "base/readable.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_signals.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// A wake-up that was meant for us may have come together with the order to leave: the connection behind it
// would wait for the next one. One look a listener is enough for who was woken once; an event loop may have
// been woken for several before it looked. Without a bound it would never end under load.
constexpr unsigned looks_of_loop = 64;

}  // namespace

ChildProcess::ChildProcess(const ChildSetup& setup)
    : limits_(setup.limits),
      parent_(setup.parent),
      server_(*setup.server),
      detach_timeout_(setup.scoreboard->service(setup.service).detach_timeout.load()),
      slot_(*setup.scoreboard, setup.service, setup.slot, setup.wake_fd,
            {.connections = limits_.connections, .threads = limits_.threads > 1}),
      listeners_(setup.listeners) {
  dead_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!dead_) throw SystemError("socket", errno);
  const bool epoll = listeners_.size() > 1 || listeners_.front().wakes_all;
  if (epoll)
    wait_in_epoll();
  else
    child_signals::wait_on(listeners_.front().descriptor);
  child_signals::set_up(slot_, listeners_, parent_, dead_.get());
}

std::unique_lock<std::mutex> ChildProcess::turn() const {
  return limits_.threads > 1 ? std::unique_lock(turn_) : std::unique_lock(turn_, std::defer_lock);
}

bool ChildProcess::leaving() const { return child_signals::retired() || slot_.must_leave(); }

// ---- waiting

// True: the attempt got something. False: time to leave, and when the last thread has heard that, the child
// says so to the parent, whatever else it still has in hand.
template <typename Attempt>
bool ChildProcess::wait_and(const Attempt& attempt) {
  join_threads_that_wait();
  bool got = false;
  while (!got && !leaving()) {
    const std::size_t listener = wait_for_listener();
    // Interrupted, maybe by a nudge. A wake-up that died with a sibling is not repeated, so the next wait
    // would not see what is in a queue: look.
    got = listener < listeners_.size() ? attempt(listener) : waits_in_ >= 0 && look_at_all(attempt);
  }
  got = got || last_look(attempt);
  {
    const auto turn = this->turn();
    if (--inside_ == 0 && (!got || detaching_)) publish_leaving();
  }
  if (!got) tell_server();
  return got;
}

void ChildProcess::join_threads_that_wait() {
  thread_local bool known = false;
  if (limits_.threads > 1 && !known) child_signals::add_thread();
  known = true;
  const auto turn = this->turn();
  ++inside_;
}

template <typename Attempt>
bool ChildProcess::look_at_all(const Attempt& attempt) {
  for (std::size_t i = 0; i < listeners_.size() && !leaving(); ++i)
    if (!listeners_[i].gone && attempt(i)) return true;
  return false;
}

// A child that waits in accept() owes no last look, and its listener is dead by now.
template <typename Attempt>
bool ChildProcess::last_look(const Attempt& attempt) {
  while (const auto listener = claim_look()) {
    if (attempt(*listener)) return true;
    const auto turn = this->turn();
    looks_[*listener] = 0;
  }
  return false;
}

std::optional<std::size_t> ChildProcess::claim_look() {
  const auto turn = this->turn();
  const auto with_looks =
      std::find_if(looks_.begin(), looks_.end(), [](unsigned looks) { return looks > 0; });
  if (with_looks == looks_.end()) return {};
  --*with_looks;
  return static_cast<std::size_t>(with_looks - looks_.begin());
}

std::size_t ChildProcess::wait_for_listener() const {
  const int epoll = waits_in_;
  if (epoll < 0) return 0;
  epoll_event event{};
  if (::epoll_wait(epoll, &event, 1, -1) == 1) return event.data.u64;
  if (errno != EINTR && !leaving()) throw SystemError("wait for connections", errno);
  return listeners_.size();
}

// The caller has the turn, or there is one thread yet.
void ChildProcess::wait_in_epoll() {
  if (watch_) return;
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) throw SystemError("epoll_create1", errno);
  watch_.emplace(listeners_, epoll.get(), std::nullopt);
  looks_.assign(listeners_.size(), limits_.threads);
  epoll_ = std::move(epoll);
  child_signals::wait_on(epoll_.get());
  waits_in_ = epoll_.get();  // last: who waits there can be called away
}

std::optional<Connection> ChildProcess::accept() {
  std::optional<Connection> connection;
  wait_and([&](std::size_t listener) {
    connection = accept_from(listener, 0);
    return connection.has_value();
  });
  return connection;
}

std::optional<Connection> ChildProcess::accept_from(std::size_t listener, int flags) {
  sockaddr_storage peer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by accept4
  peer.ss_family = AF_UNSPEC;
  socklen_t size = sizeof peer;
  Descriptor socket(::accept4(listeners_[listener].descriptor, reinterpret_cast<sockaddr*>(&peer), &size,
                              SOCK_CLOEXEC | flags));
  if (!socket) {
    failed_on(listener, errno);
    return {};
  }
  if (peer.ss_family == AF_UNIX)
    reinterpret_cast<sockaddr_un&>(peer).sun_path[0] = '\0';  // a client has no name
  const ConnectionId id = slot_.accepted(peer, static_cast<std::uint32_t>(listener));
  if (back_off_.load() != 0ms) back_off_ = 0ms;
  return Connection(std::move(socket), {.peer = peer,
                                        .listener = listeners_[listener].name,
                                        .host = *this,
                                        .id = id,
                                        .blocks = (flags & SOCK_NONBLOCK) == 0});
}

std::optional<ConnectionId> ChildProcess::receive(Receiver& receiver) {
  std::optional<ConnectionId> id;
  wait_and([&](std::size_t listener) {
    sockaddr_storage peer{};
    const ChildListener& from = listeners_[listener];
    if (!receiver.try_receive({from.descriptor, from.name, from.trigger}, peer)) {
      failed_on(listener, errno);
      return false;
    }
    id = slot_.accepted(peer, static_cast<std::uint32_t>(listener));
    back_off_ = 0ms;
    // One write may bring many lines, and wakes one child: for the next one the parent wakes another.
    if (from.trigger && readable(from.descriptor)) slot_.more_waits();
    return true;
  });
  return id;
}

void ChildProcess::failed_on(std::size_t listener, int error_number) {
  switch (error_number) {
    // The connection was gone before it was taken, or its network has a fault (accept(2), udp(7)): the next
    // one may do.
    case EINTR:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
      return;
    case EINVAL: {
      if (leaving()) return;
      // The parent has closed this listener: a reload took it away. Others stay. Or it was ended by one of
      // those who share it: then the parent opens it anew.
      slot_.tell_of_listener();
      const auto turn = this->turn();
      wait_in_epoll();
      watch_->take_away(listener);
      return;
    }
    case EAGAIN: {
      // Somebody else was faster. Or another process that shares the listener has made it non-blocking.
      const auto turn = this->turn();
      wait_in_epoll();
      return;
    }
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return back_off(listener, error_number);
    default:
      if (!leaving()) throw SystemError("accept on " + listeners_[listener].name, error_number);
  }
}

void ChildProcess::back_off(std::size_t listener, int error_number) {
  auto turn = this->turn();
  if (back_off_.load() == 0ms)
    log_error(SystemError(text("accept on ", listeners_[listener].name,
                               ": out of descriptors or memory; trying again, ever later"),
                          error_number)
                  .what());
  const std::chrono::milliseconds time = std::clamp(back_off_.load() * 2, 10ms, 1000ms);
  back_off_ = time;
  if (own_loop_) return watch_->pause(time);
  if (turn) turn.unlock();
  ::poll(nullptr, 0, static_cast<int>(time.count()));
}

// ---- ending

void ChildProcess::finished(Connection connection, Outcome outcome) {
  connection.close();
  finished(connection.id(), outcome, connection.bytes_read(), connection.bytes_written());
}

void ChildProcess::finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                            std::uint64_t bytes_written) {
  slot_.finished(id, outcome == Outcome::failed, bytes_read, bytes_written);
  if (leaving()) return;
  const bool outdated = slot_.outdated();
  const auto turn = this->turn();
  if (own_loop_ && !left_ && back_off_.load() == 0ms) watch_->set(true);
  if (asked_ || (!outdated && !slot_.at_cap())) return;
  asked_ = true;
  slot_.ask(outdated ? Reason::recycle : Reason::cap);
}

// ---- for a loop of the model's

std::optional<Connection> ChildProcess::try_accept() {
  std::optional<Connection> connection;
  const auto attempt = [&](std::size_t listener) {
    connection = accept_from(listener, SOCK_NONBLOCK);
    return connection.has_value();
  };
  if (!own_loop_) listener_fd();
  const bool last = leaving();
  if (claim_place()) {
    last ? last_look(attempt) : look_at_all(attempt);
    settle_try(connection.has_value());
  }
  if (last && !connection) {
    end_loop();
    tell_server();
  }
  return connection;
}

// Room there must be for what other threads try to get at this moment, too.
bool ChildProcess::claim_place() {
  const auto turn = this->turn();
  nudged_ = watch_->settle(child_signals::take_nudge()) || nudged_;
  if (left_) return false;
  const bool full = slot_.full();
  if (full || !leaving()) watch_->set(!full);
  if (slot_.open_connections() + trying_ >= limits_.connections) return false;
  ++trying_;
  return true;
}

// A nudge is for all that waits. And once the child is full, wake-ups must not come to it any more; one that
// came before is the parent's to pass on.
void ChildProcess::settle_try(bool accepted) {
  const auto turn = this->turn();
  --trying_;
  nudged_ = nudged_ && accepted;
  if (nudged_) watch_->look_again();
  if (slot_.full() && watch_->set(false) && watch_->any_waits()) slot_.call_parent();
  if (detaching_ && trying_ == 0) hand_back();
}

// Nothing is accepted any more.
void ChildProcess::end_loop() {
  const auto turn = this->turn();
  if (left_) return;
  watch_->set(false);
  publish_leaving();
  if (::getppid() != parent_) let_listeners_go();
}

void ChildProcess::watch_listeners(int epoll, std::uint64_t data) {
  own_loop_ = true;
  child_signals::wait_on(-1);
  watch_.emplace(listeners_, epoll, data);
  looks_.assign(listeners_.size(), looks_of_loop);
  child_signals::tell(leave_fd(), watch_->look_fd());
}

int ChildProcess::listener_fd() {
  if (own_loop_) return epoll_.get();
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) throw SystemError("epoll_create1", errno);
  watch_listeners(epoll.get(), 0);
  epoll_ = std::move(epoll);
  return epoll_.get();
}

int ChildProcess::leave_fd() {
  if (!leave_) {
    leave_ = new_event(leaving());
    child_signals::tell(leave_.get(), watch_ ? watch_->look_fd() : -1);
  }
  return leave_.get();
}

}  // namespace brood
