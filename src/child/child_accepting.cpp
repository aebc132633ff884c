// SPDX-License-Identifier: MIT
// How a child gets connections, and what it does if accept() fails.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>

#include "base/event_descriptor.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_process.hpp"
#include "child/child_signals.hpp"
#include "child/proxy/awaited_headers.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// A child that has so many connections more than a sibling leaves new ones to it: for a turn of the
// scheduler, and for longer if it has still more.
constexpr unsigned many_more = 6;
constexpr auto siblings_turn = 4ms;
constexpr unsigned most_turns = 8;

// Clients that are refused in a row, by a child that does not wait, before it looks at other things.
constexpr unsigned most_refused = 64;

bool blocks(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

// The connection was gone before it was accepted, or its network has a fault (accept(2), udp(7)). The next
// one may work.
bool concerns_one_connection(int error_number) {
  switch (error_number) {
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
      return true;
    default:
      return false;
  }
}

// The kernel knows of no other how long they have waited.
bool is_internet(const sockaddr_storage& peer) {
  return peer.ss_family == AF_INET || peer.ss_family == AF_INET6;
}

}  // namespace

// ---- One thread waits, or several do

// True: the attempt got something. False: the child was told to leave. The last thread that gets this answer
// tells the parent, even if connections are still open.
template <typename Attempt>
bool ChildProcess::wait_and(const Attempt& attempt) {
  begin_wait();
  bool got = false;
  while (!got && !leaving()) {
    const auto listener = wait_for_listener();
    // Interrupted, maybe to look again. A wake-up that was lost with a sibling is not repeated, so the next
    // wait would not report what is in a queue.
    got = listener ? attempt(*listener) : wait_.in_epoll() && look_at_all(attempt);
  }
  got = got || last_look(attempt);
  {
    const auto turn = this->turn();
    act(state_.thread_leaves(!got));
  }
  if (!got) call_leave_hook();
  return got;
}

[[gnu::hot]] void ChildProcess::begin_wait() {
  end_if_copy();
  thread_local bool known = false;
  if (limits_.threads > 1 && !known) child_signals::add_thread();
  known = true;
  const auto turn = this->turn();
  state_.thread_enters();
}

[[gnu::hot]] std::optional<std::size_t> ChildProcess::wait_for_listener() const {
  const auto listener = wait_.wait();
  if (!listener && errno != EINTR && !leaving()) throw SystemError("wait for connections", errno);
  return listener;
}

template <typename Attempt>
bool ChildProcess::look_at_all(const Attempt& attempt) {
  const auto is_there = [this](std::size_t listener) {
    const auto turn = this->turn();
    return !wait_.listeners()[listener].gone;
  };
  for (std::size_t i = 0; i < wait_.listeners().size() && !leaving(); ++i)
    if (is_there(i) && attempt(i)) return true;
  return false;
}

template <typename Attempt>
bool ChildProcess::last_look(const Attempt& attempt) {
  const auto claim = [this] {
    const auto turn = this->turn();
    return wait_.claim_last_look();
  };
  while (const auto listener = claim()) {
    if (attempt(*listener)) return true;
    const auto turn = this->turn();
    wait_.looked_in_vain(*listener);
  }
  return false;
}

[[gnu::hot]] std::optional<Connection> ChildProcess::accept() {
  std::optional<Connection> connection;
  do
    wait_and([&](std::size_t listener) {
      connection = accept_from(listener, 0);
      return connection.has_value();
    });
  while (awaited_ && connection && !await_header(connection));
  return connection;
}

std::optional<ConnectionId> ChildProcess::receive(Receiver& receiver) {
  std::optional<ConnectionId> id;
  wait_and([&](std::size_t listener) {
    sockaddr_storage peer{};
    const ChildListener& from = wait_.listeners()[listener];
    if (!receiver.try_receive({from.descriptor, from.name, from.trigger}, peer)) {
      failed_on(listener, errno);
      return false;
    }
    ClientCounts::Place place = ClientCounts::no_place;
    if (admission_ && !from.trigger) {
      const auto admitted = admit(Address(peer), listener, Admission::no_socket);
      if (!admitted) return false;
      place = *admitted;
    }
    id = slot_.accepted(peer, static_cast<std::uint32_t>(listener));
    if (admission_) admission_->hold(*id, place);
    back_off_ = 0ms;
    // One write may bring many lines, but wakes one child. The parent wakes another one for the next line.
    if (from.trigger && readable(from.descriptor)) slot_.more_waits();
    return true;
  });
  return id;
}

[[gnu::hot]] std::optional<Connection> ChildProcess::accept_from(std::size_t listener, int flags) {
  const ChildListener& from = wait_.listeners()[listener];
  for (unsigned refused = 0;; ++refused) {
    sockaddr_storage peer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by accept4
    peer.ss_family = AF_UNSPEC;
    socklen_t size = sizeof peer;
    Descriptor socket(
        ::accept4(from.descriptor, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | flags));
    if (!socket) {
      failed_on(listener, errno);
      return {};
    }
    if (peer.ss_family == AF_UNIX)
      reinterpret_cast<sockaddr_un&>(peer).sun_path[0] = '\0';  // a client has no name
    ClientCounts::Place place = ClientCounts::no_place;
    // A PROXY header may name another client: see begin().
    if (admission_ && !from.proxy) {
      const auto admitted = admit(Address(peer), listener, socket.get());
      // What waits behind it must not be left: the wake-up for it may have come already.
      const bool may_look_again = (flags & SOCK_NONBLOCK) != 0 || wait_.in_epoll();
      if (!admitted && may_look_again && refused < most_refused) continue;
      if (!admitted) return {};
      place = *admitted;
    }
    const ConnectionId id = slot_.accepted(peer, static_cast<std::uint32_t>(listener), !from.proxy);
    if (admission_ && !from.proxy) admission_->hold(id, place);
    if (is_internet(peer)) note_wait(id, socket.get(), from.descriptor);
    if (back_off_.load() != 0ms) back_off_ = 0ms;
    return Connection(std::move(socket), {.peer = peer,
                                          .listener = from.name,
                                          .host = *this,
                                          .id = id,
                                          .blocks = (flags & SOCK_NONBLOCK) == 0,
                                          .deadline = deadline_in(limits_.connection_timeout),
                                          .first_byte = deadline_in(limits_.first_byte_timeout)});
  }
}

// ---- The model has an event loop

std::optional<Connection> ChildProcess::try_accept() {
  std::optional<Connection> connection;
  if (awaited_) connection = take_begun();
  if (connection) return connection;
  const auto attempt = [&](std::size_t listener) {
    connection = accept_from(listener, SOCK_NONBLOCK);
    return connection.has_value();
  };
  if (!wait_.own_loop()) listener_fd();
  const bool last = leaving();
  do {
    if (!begin_try()) break;
    last ? last_look(attempt) : look_at_all(attempt);
    end_try(connection.has_value());
  } while (awaited_ && connection && !try_header(connection) && last);
  if (last && !connection) {
    end_loop();
    call_leave_hook();
  }
  return connection;
}

// There must also be room for what other threads try to accept at this moment.
bool ChildProcess::begin_try() {
  end_if_copy();
  const auto turn = this->turn();
  wait_.watch().begin_look(child_signals::take_look());
  if (!state_.accepts() || loop_holds_back(state_.accepting())) return false;
  leave_last_looks();
  const bool full = slot_.full();
  if (full || !leaving()) wait_.set_watched(!full);
  if (slot_.open_connections() + state_.accepting() >= limits_.connections) return false;
  if (leave_to_siblings()) return false;
  state_.thread_enters();
  return true;
}

// Children that hold connections end up with about as many each. The kernel wakes the same sleeping child
// each time, so one that has more goes behind its siblings after it has accepted. One that has many more
// accepts nothing: in a burst its siblings are awake, and otherwise the parent wakes the one that has fewest.
// After a pause it takes one, whatever they do.
bool ChildProcess::leave_to_siblings() {
  ListenerWatch& watch = wait_.watch();
  const auto rest = watch.rest_of_pause();
  if (leaving() || rest == 0ms) return false;
  const unsigned open_connections = slot_.open_connections();
  const unsigned more = slot_.more_than_a_sibling();
  if (more <= std::max(many_more, open_connections / 8)) return false;
  if (!rest) slot_.call_parent();
  watch.pause(rest.value_or(std::min(more / many_more, most_turns) * siblings_turn));
  return true;
}

// A full child must not be woken, nor one that holds back. If it was woken already, the parent has to wake
// another one. A loop asks here, because it may accept many connections before it finishes one.
void ChildProcess::end_try(bool accepted) {
  const auto turn = this->turn();
  const bool closes = slot_.full() ? wait_.set_watched(false) : loop_holds_back(state_.accepting() - 1);
  wait_.watch().end_look(accepted);
  if (closes && wait_.watch().any_waits()) slot_.call_parent();
  if (accepted && !leaving()) {
    if (slot_.more_than_a_sibling() > 1) wait_.watch().go_behind();
    if (slot_.at_cap()) act(state_.replacement_due());
  }
  act(state_.thread_leaves(false));
}

// ---- accept() failed

void ChildProcess::failed_on(std::size_t listener, int error_number) {
  if (concerns_one_connection(error_number)) return;
  switch (error_number) {
    case EINVAL: {
      if (leaving()) return;
      // A reload removed this listener, and the parent has closed it. Or another process that shares it has
      // shut it down; then the parent opens it again.
      slot_.report_listener();
      const auto turn = this->turn();
      wait_.take_away(listener);
      return;
    }
    case EAGAIN: {
      // The listener has read-timeout, which its connections inherit, and which ends the wait for them, too.
      if (!wait_.in_epoll() && !wait_.own_loop() && blocks(wait_.listeners()[listener].descriptor)) return;
      // Another child was faster. Or another process that shares the listener has made it non-blocking.
      const auto turn = this->turn();
      wait_.wait_in_epoll();
      return;
    }
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return back_off(listener, error_number);
    default:
      if (!leaving()) throw SystemError("accept on " + wait_.listeners()[listener].name, error_number);
  }
}

void ChildProcess::back_off(std::size_t listener, int error_number) {
  auto turn = this->turn();
  if (back_off_.load() == 0ms)
    log_error(SystemError(text("accept on ", wait_.listeners()[listener].name,
                               ": out of descriptors or memory; trying again later"),
                          error_number)
                  .what());
  const std::chrono::milliseconds time = std::clamp(back_off_.load() * 2, 10ms, 1000ms);
  back_off_ = time;
  if (wait_.own_loop()) return wait_.watch().pause(time);
  if (turn) turn.unlock();
  ::poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace brood
