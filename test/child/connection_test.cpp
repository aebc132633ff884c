// SPDX-License-Identifier: MIT
#include "brood/connection.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "brood/error.hpp"

using namespace std::chrono_literals;
using brood::Connection;
using brood::Descriptor;

namespace {

struct Host final : brood::ConnectionHost {
  std::string last;
  void note(brood::ConnectionId /*id*/, std::string_view text) override { last = text; }
  bool leaving() const override { return false; }
};

// A connection as a handler has it, and its peer's end.
struct Pair {
  Host host;
  Descriptor peer;
  Connection connection;

  Pair() : connection(make()) {}

 private:
  Connection make() {
    const Descriptor listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    peer.reset(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::connect(peer.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    sockaddr_storage from{};
    size = sizeof from;
    Descriptor accepted(::accept(listener.get(), reinterpret_cast<sockaddr*>(&from), &size));
    return {std::move(accepted), {.peer = from, .listener = "name", .host = host}};
  }
};

std::string read_to_end(int descriptor, int& error_number) {
  std::string all;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::recv(descriptor, buffer.data(), buffer.size(), 0);
    error_number = size < 0 ? errno : 0;
    if (size <= 0) return all;
    all.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

void send_all(int descriptor, std::string_view data) {
  REQUIRE(::send(descriptor, data.data(), data.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(data.size()));
}

}  // namespace

TEST_CASE("lines come one by one, and what is behind them is still there to read") {
  Pair pair;
  send_all(pair.peer.get(), "one\r\ntwo\n\nrest");
  ::shutdown(pair.peer.get(), SHUT_WR);
  CHECK(pair.connection.read_line() == "one");
  CHECK(pair.connection.read_line() == "two");
  CHECK(pair.connection.read_line() == "");
  std::array<char, 3> buffer{};
  CHECK(pair.connection.read_some(buffer) == 3);
  CHECK(std::string(buffer.data(), 3) == "res");
  CHECK(pair.connection.read_line() == "t");
  CHECK_FALSE(pair.connection.read_line().has_value());
  CHECK(pair.connection.bytes_read() == 14);
}

TEST_CASE("a line that never ends is refused") {
  Pair pair;
  send_all(pair.peer.get(), std::string(500, 'x'));
  CHECK_THROWS_AS(pair.connection.read_line(100), brood::Error);
}

TEST_CASE("an answer isn't lost because its handler left input unread") {
  Pair pair;
  send_all(pair.peer.get(), std::string(100'000, 'x'));
  pair.connection.write_all("answer");
  // The peer closes as soon as it has read the end, as well-behaved ones do.
  ::shutdown(pair.peer.get(), SHUT_WR);
  pair.connection.close();
  int error_number = 0;
  CHECK(read_to_end(pair.peer.get(), error_number) == "answer");
  CHECK(error_number == 0);
}

TEST_CASE("a wait ends after its timeout, and says so") {
  Pair pair;
  pair.connection.set_timeouts(20ms, 20ms);
  std::array<char, 8> buffer{};
  try {
    pair.connection.read_some(buffer);
    FAIL("read returned");
  } catch (const brood::SystemError& error) {
    CHECK(error.error_number() == ETIMEDOUT);
  }
  try {
    for (;;) pair.connection.write_all(std::string(1 << 20, 'x'));
  } catch (const brood::SystemError& error) {
    CHECK(error.error_number() == ETIMEDOUT);
  }
}

TEST_CASE("a connection knows its ends, its listener, and passes its note on") {
  Pair pair;
  CHECK(pair.connection.peer().starts_with("127.0.0.1:"));
  CHECK(pair.connection.local().starts_with("127.0.0.1:"));
  CHECK(pair.connection.peer() != pair.connection.local());
  CHECK(pair.connection.listener() == "name");
  pair.connection.note("GET /");
  CHECK(pair.host.last == "GET /");
}
