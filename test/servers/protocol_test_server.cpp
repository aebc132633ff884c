// SPDX-License-Identifier: MIT
// One protocol in each of three child models, for a test that expects the same answers of all of them. The
// first line is the mode:
//
//   lines, until, exact, frames   pieces of that kind, of at most 8 bytes
//   mixed                         a line, all before ";;", three bytes, a frame, and again
//   who                           answers the peer's address and, on a unix socket, its process
//   deadline                      lines, with a deadline in a moment
//   relay PORT                    to this port of the loopback, from the next byte on
//   asio, skip-asio               coroutines only: lines, read by Boost.Asio; one that is skipped comes first
//
// A piece is answered by "[PIECE]", one that is too long by "!", and skipped; the end by ".". After the piece
// "bye" nothing more is written, and what comes is still read.
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "brood/descriptor.hpp"
#include "brood/error.hpp"

#ifdef COROUTINES
#include "brood/async_server.hpp"
// After it:
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#elif defined(EVENT_LOOP)
#include "brood/event_server.hpp"
#else
#include "brood/server.hpp"
#endif

namespace {

constexpr std::size_t longest = 8;

enum class Kind : std::uint8_t { line, until, exact, frame };

struct Session {
  std::string mode;
  unsigned step = 0;
  bool silent = false;

  Kind next() {
    if (mode == "until") return Kind::until;
    if (mode == "exact") return Kind::exact;
    if (mode == "frames") return Kind::frame;
    if (mode == "mixed") return static_cast<Kind>(step++ % 4);
    return Kind::line;
  }
};

template <typename Connection>
void begin(Connection& connection, const std::string& mode) {
  connection.template state<Session>().mode = mode;
  try {
    connection.template state<int>();
    throw std::logic_error("the state is no int");
  } catch (const brood::Error&) {  // NOLINT(bugprone-empty-catch): as it must be
  }
  if (mode == "deadline") connection.set_deadline(std::chrono::milliseconds(50));
}

constexpr std::string_view relay = "relay ";

brood::Descriptor connect_to(std::string_view port) {
  brood::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(std::string(port))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw brood::SystemError("connect", errno);
  return socket;
}

template <typename Connection>
std::string who(const Connection& connection) {
  const auto process = connection.peer_credentials();
  return connection.peer_address().text() + (process ? ' ' + std::to_string(process->pid) : "");
}

#ifdef COROUTINES

using Piece = boost::asio::awaitable<std::optional<std::string>>;

Piece take(brood::AsyncConnection& connection, Kind kind) {
  switch (kind) {
    case Kind::line:
      break;
    case Kind::until:
      return connection.read_until(";;", longest);
    case Kind::exact:
      return connection.read_exact(3);
    case Kind::frame:
      return connection.read_frame<2>(longest);
  }
  return connection.read_line(longest);
}

class Protocol : public brood::AsyncServer {
  boost::asio::awaitable<void> handle_connection(brood::AsyncConnection& connection) override {
    const auto mode = co_await connection.read_line();
    if (!mode) co_return;
    if (mode->starts_with(relay)) {
      const brood::Descriptor other = connect_to(mode->substr(relay.size()));
      co_return co_await connection.relay(other);
    }
    begin(connection, *mode);
    auto& session = connection.state<Session>();
    if (*mode == "who") co_await connection.write_all(who(connection));
    if (*mode == "asio" || *mode == "skip-asio") co_return co_await read_by_asio(connection);
    while (co_await connection.next_request()) {
      std::optional<std::string> piece;
      bool too_long = false;
      try {
        piece = co_await take(connection, session.next());
      } catch (const brood::TooLongError&) {
        too_long = true;  // no coroutine may wait in here
      }
      if (too_long) connection.skip();
      if (session.silent) continue;
      if (too_long) co_await connection.write_all("!");
      if (piece) co_await connection.write_all("[", *piece, "]");
      session.silent = piece == "bye";
      if (session.silent) connection.shutdown_write();
    }
    if (!session.silent) co_await connection.write_all(".");
  }

  static boost::asio::awaitable<void> read_by_asio(brood::AsyncConnection& connection) {
    try {
      if (connection.state<Session>().mode == "skip-asio") co_await connection.read_line(longest);
    } catch (const brood::TooLongError&) {
      connection.skip();
    }
    for (std::string input;;) {
      const std::size_t size = co_await boost::asio::async_read_until(
          connection, boost::asio::dynamic_buffer(input), '\n', boost::asio::use_awaitable);
      co_await connection.write_all("[", input.substr(0, size - 1), "]");
      input.erase(0, size);
    }
  }
};

#elif defined(EVENT_LOOP)

std::optional<std::string> take(brood::Connection& connection, Kind kind) {
  switch (kind) {
    case Kind::line:
      break;
    case Kind::until:
      return connection.try_until(";;", longest);
    case Kind::exact:
      return connection.try_exact(3);
    case Kind::frame:
      return connection.try_frame<2>(longest);
  }
  return connection.try_line(longest);
}

class Protocol : public brood::EventServer {
  Next handle_readable(brood::Connection& connection) override {
    auto& session = connection.state<Session>();
    if (session.mode.empty()) {
      const auto mode = connection.try_line();
      if (!mode) return Next::more_input;
      if (mode->starts_with(relay)) {  // it waits, here too
        connection.relay(connect_to(mode->substr(relay.size())));
        return Next::close;
      }
      begin(connection, *mode);
      if (*mode == "who") connection.write_all(who(connection));
    }
    while (answer(connection, session)) {
    }
    if (connection.ended() && !session.silent) connection.write_all(".");
    return Next::more_input;
  }

  // False: there is nothing more now.
  static bool answer(brood::Connection& connection, Session& session) {
    const unsigned step = session.step;
    try {
      const auto piece = take(connection, session.next());
      if (!piece) session.step = step;
      if (!piece || session.silent) return piece.has_value();
      connection.write_all("[", *piece, "]");
      session.silent = *piece == "bye";
      if (session.silent) connection.shutdown_write();
    } catch (const brood::TooLongError&) {
      connection.write_all("!");
      connection.skip();
    }
    return true;
  }
};

#else

std::optional<std::string> take(brood::Connection& connection, Kind kind) {
  switch (kind) {
    case Kind::line:
      break;
    case Kind::until:
      return connection.read_until(";;", longest);
    case Kind::exact:
      return connection.read_exact(3);
    case Kind::frame:
      return connection.read_frame<2>(longest);
  }
  return connection.read_line(longest);
}

class Protocol : public brood::Server {
  void handle_connection(brood::Connection& connection) override {
    const auto mode = connection.read_line();
    if (!mode) return;
    if (mode->starts_with(relay)) return connection.relay(connect_to(mode->substr(relay.size())));
    begin(connection, *mode);
    auto& session = connection.state<Session>();
    if (*mode == "who") connection.write_all(who(connection));
    while (answer(connection, session)) {
    }
    if (!session.silent) connection.write_all(".");
  }

  // False: there are no more pieces.
  static bool answer(brood::Connection& connection, Session& session) {
    try {
      const auto piece = take(connection, session.next());
      if (!piece || session.silent) return piece.has_value();
      connection.write_all("[", *piece, "]");
      session.silent = *piece == "bye";
      if (session.silent) connection.shutdown_write();
    } catch (const brood::TooLongError&) {
      connection.write_all("!");
      connection.skip();
    }
    return true;
  }
};

#endif

}  // namespace

int main(int argc, char** argv) { return Protocol().run(argc, argv); }
