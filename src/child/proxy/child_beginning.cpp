// SPDX-License-Identifier: MIT
// How a connection begins that has come to a listener with `proxy`. Child models get it when it has begun.
#include <poll.h>

#include <utility>

#include "base/event_descriptor.hpp"
#include "base/text.hpp"
#include "child/child_process.hpp"
#include "child/client_messages.hpp"
#include "child/proxy/awaited_headers.hpp"

namespace brood {
namespace {

std::string why_refused(const AwaitedConnection& ended) {
  switch (ended.state) {
    case HeaderReader::State::more:
      return "its PROXY header has not come within proxy-timeout";
    case HeaderReader::State::cut_off:
      return "it has ended within its PROXY header";
    default:
      return text("its PROXY header: ", ended.reader.mistake());
  }
}

}  // namespace

bool ChildProcess::await_header(std::optional<Connection>& connection) {
  if (slot_.counts(connection->id())) return true;  // of another listener
  if (!trusts_sender(connection)) return false;
  AwaitedConnection awaited = awaited_->begin(std::move(*connection));
  connection.reset();
  const int socket = awaited.connection.descriptor();
  do awaited.state = awaited.reader.read(socket);
  while (awaited.state == HeaderReader::State::more && wait_for_event(socket, POLLIN, awaited.until));
  return conclude(std::move(awaited), connection);
}

bool ChildProcess::try_header(std::optional<Connection>& connection) {
  if (slot_.counts(connection->id())) return true;
  if (!trusts_sender(connection)) return false;
  AwaitedConnection awaited = awaited_->begin(std::move(*connection));
  connection.reset();
  awaited.state = awaited.reader.read(awaited.connection.descriptor());
  if (awaited.state != HeaderReader::State::more) return conclude(std::move(awaited), connection);
  const auto turn = this->turn();
  awaited_->add(std::move(awaited));
  return false;
}

std::optional<Connection> ChildProcess::take_begun() {
  for (;;) {
    std::optional<AwaitedConnection> ended;
    {
      const auto turn = this->turn();
      ended = awaited_->take(Clock::now());
    }
    std::optional<Connection> begun;
    if (!ended || conclude(std::move(*ended), begun)) return begun;
  }
}

bool ChildProcess::trusts_sender(std::optional<Connection>& connection) {
  if (awaited_->believes(connection->peer_address())) return true;
  refuse(std::move(*connection), "its sender is not in proxy-from");
  connection.reset();
  return false;
}

// True: it has begun.
bool ChildProcess::conclude(AwaitedConnection ended, std::optional<Connection>& begun) {
  switch (ended.state) {
    case HeaderReader::State::whole:
      ended.connection.begin(std::move(ended.reader.header()));
      if (!begin(ended.connection)) return false;
      begun = std::move(ended.connection);
      return true;
    case HeaderReader::State::absent:
      end_uncounted(std::move(ended.connection), ChildSlot::NotCounted::probe);
      return false;
    default:
      const std::string why = why_refused(ended);
      refuse(std::move(ended.connection), why);
      return false;
  }
}

// What goes by a client's address is asked here, as accept_from() does at other listeners. False: the
// connection was refused. The balancer's own connections are served, and counted as probes.
bool ChildProcess::begin(Connection& connection) {
  if (connection.proxy_header()->local) return true;
  const ConnectionId id = connection.id();
  if (admission_) {
    std::optional<OpenConnections::Entry> copy;
    const std::size_t listener = slot_.open_connection(id, copy).listener;
    const auto place =
        admit(connection.peer_address(), listener, connection.descriptor(), ClientIs::behind_a_balancer);
    if (!place) {
      end_uncounted(std::move(connection), ChildSlot::NotCounted::counted_by_reason);
      return false;
    }
    admission_->hold(id, *place);
  }
  slot_.begin(id, connection.peer_address());
  return true;
}

void ChildProcess::refuse(Connection connection, std::string_view why) {
  log_for_client(
      ClientMessage::proxy_header, LogLevel::warning,
      text("connection from ", connection.peer(), " at listener ", connection.listener(), " refused: ", why));
  end_uncounted(std::move(connection), ChildSlot::NotCounted::refused);
}

// Without lingering: a stranger must not keep the child.
void ChildProcess::end_uncounted(Connection connection, ChildSlot::NotCounted as) {
  connection.half_close();
  connection.close();
  slot_.finished(connection.id(), as);
  look_after_end();
}

unsigned ChildProcess::beginning() const {
  if (!awaited_) return 0;
  const auto turn = this->turn();
  return awaited_->count();
}

void ChildProcess::watch_listeners(int epoll, std::uint64_t data) {
  begin_loop();
  wait_.watch_listeners(epoll, data);
  if (awaited_) awaited_->report_to(epoll, data);
}

int ChildProcess::listener_fd() {
  begin_loop();
  const int epoll = wait_.listener_fd();
  if (awaited_ && epoll >= 0) awaited_->report_to(epoll, 0);
  return epoll;
}

}  // namespace brood
