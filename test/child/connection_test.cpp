// SPDX-License-Identifier: MIT
#include "brood/connection.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "brood/error.hpp"
#include "connection_pair.hpp"

using namespace std::chrono_literals;
using brood::Connection;
using brood::Descriptor;
using Time = std::chrono::steady_clock::time_point;

namespace {

struct TcpPair : brood::test::Pair {
  explicit TcpPair(Time deadline = Connection::no_deadline, bool blocks = true)
      : Pair({.blocks = blocks, .tcp = true, .deadline = deadline}) {}
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

}  // namespace

TEST_CASE("lines come one by one, and what is behind them is still there to read") {
  TcpPair pair;
  pair.say("one\r\ntwo\n\nrest");
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

TEST_CASE("a line that is too long is refused, and can be skipped") {
  TcpPair pair;
  pair.say(std::string(500, 'x'));
  CHECK_THROWS_AS(pair.connection.read_line(100), brood::TooLongError);
  CHECK_THROWS_AS(pair.connection.read_line(100), brood::TooLongError);  // it is still there
  pair.connection.skip();
  pair.say(std::string(20'000, 'x') + "\n12345678\r\nrest");
  CHECK(pair.connection.read_line(8) == "12345678");
  std::array<char, 8> buffer{};
  CHECK(pair.connection.read_some(buffer) == 4);
  pair.say("123456789");
  CHECK_THROWS_AS(pair.connection.read_line(8), brood::TooLongError);
  pair.connection.skip();
  pair.say("0\nthen");
  CHECK(pair.connection.read_some(buffer) == 4);  // this skips, too
  ::shutdown(pair.peer.get(), SHUT_WR);
  CHECK_FALSE(pair.connection.read_line(8).has_value());
}

TEST_CASE("after shutdown_write() the peer sees the end, and is still heard") {
  TcpPair pair;
  pair.connection.write_all("all");
  pair.connection.shutdown_write();
  int error_number = 0;
  CHECK(read_to_end(pair.peer.get(), error_number) == "all");
  pair.say("answer\n");
  CHECK(pair.connection.read_line() == "answer");
  CHECK_THROWS_AS(pair.connection.write_all("more"), brood::ConnectionError);
}

TEST_CASE("an answer isn't lost because its handler left input unread") {
  TcpPair pair;
  pair.say(std::string(100'000, 'x'));
  pair.connection.write_all("answer");
  // The peer closes as soon as it has read the end, as well-behaved ones do.
  ::shutdown(pair.peer.get(), SHUT_WR);
  pair.connection.close();
  int error_number = 0;
  CHECK(read_to_end(pair.peer.get(), error_number) == "answer");
  CHECK(error_number == 0);
}

TEST_CASE("a signal does not cut the end of a connection short") {
  TcpPair pair;
  struct sigaction action {};
  action.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR1, &action, nullptr) == 0);
  pair.say("more than the handler reads");
  int error_number = 0;
  bool all_sent = true;
  const pthread_t closing = ::pthread_self();
  std::thread peer([&] {
    read_to_end(pair.peer.get(), error_number);  // close() has shut down its side, and waits for ours
    for (int i = 0; i < 50; ++i) {
      ::pthread_kill(closing, SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
    for (int i = 0; i < 3; ++i) all_sent = ::send(pair.peer.get(), "rest", 4, MSG_NOSIGNAL) == 4 && all_sent;
    ::shutdown(pair.peer.get(), SHUT_WR);
  });
  pair.connection.close();
  peer.join();
  CHECK(error_number == 0);
  CHECK(all_sent);
}

TEST_CASE("signals do not make a wait longer than its timeout") {
  TcpPair pair{Connection::no_deadline, false};
  pair.connection.set_timeouts(100ms, 100ms);
  struct sigaction action {};
  action.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR1, &action, nullptr) == 0);
  const pthread_t reading = ::pthread_self();
  std::atomic<bool> ended = false;
  std::atomic<int> signals = 0;
  std::thread disturbing([&] {
    for (; !ended && signals < 2'000; ++signals) {
      ::pthread_kill(reading, SIGUSR1);
      std::this_thread::sleep_for(5ms);
    }
  });
  std::array<char, 8> buffer{};
  CHECK_THROWS_AS(pair.connection.read_some(buffer), brood::SystemError);
  ended = true;
  disturbing.join();
  CHECK(signals < 2'000);
}

TEST_CASE("a wait ends after its timeout, and says so") {
  TcpPair pair;
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

TEST_CASE("reading and writing end at the deadline of a connection, whether they wait or not") {
  using std::chrono::steady_clock;
  const std::string much(1 << 20, 'x');
  Descriptor file(::memfd_create("much", MFD_CLOEXEC));
  for (int i = 0; i < 64; ++i)
    REQUIRE(::write(file.get(), much.data(), much.size()) == static_cast<ssize_t>(much.size()));
  std::array<char, 8> buffer{};
  const std::vector<std::function<void(Connection&)>> waits = {
      [&](Connection& connection) { connection.read_some(buffer); },
      [&](Connection& connection) { connection.read_line(); },
      [&](Connection& connection) {
        for (;;) connection.write_all(much);
      },
      [&](Connection& connection) {
        connection.send_file(Descriptor(::dup(file.get())), 0, 64 * much.size());
      }};
  for (const auto& wait : waits) {
    TcpPair pair{steady_clock::now() + 30ms};
    CHECK_THROWS_AS(wait(pair.connection), brood::TimeoutError);
    CHECK(steady_clock::now() >= pair.connection.deadline());
    // Now there would be input, and later there is room.
    pair.say("a line\n");
    CHECK_THROWS_AS(pair.connection.read_line(), brood::TimeoutError);
    CHECK_THROWS_AS(pair.connection.write_all("x"), brood::TimeoutError);
    CHECK((::fcntl(pair.connection.descriptor(), F_GETFL) & O_NONBLOCK) == 0);
  }
}

TEST_CASE("a timeout of the connection's own comes before its deadline, and says so") {
  TcpPair pair{std::chrono::steady_clock::now() + 1h};
  pair.connection.set_timeouts(20ms, 20ms);
  std::array<char, 8> buffer{};
  try {
    pair.connection.read_some(buffer);
    FAIL("read returned");
  } catch (const brood::TimeoutError& error) {
    CHECK(std::string(error.what()).starts_with("read from 127.0.0.1:"));
  }
  CHECK_THROWS_AS(
      [&] {
        for (;;) pair.connection.write_all(std::string(1 << 20, 'x'));
      }(),
      brood::TimeoutError);
}

TEST_CASE("a handler extends its deadline, also when that is over") {
  TcpPair pair{std::chrono::steady_clock::now()};
  pair.say("a line\n");
  CHECK_THROWS_AS(pair.connection.read_line(), brood::TimeoutError);
  pair.connection.extend_deadline(1min);
  CHECK(pair.connection.read_line() == "a line");
  const auto deadline = pair.connection.deadline();
  CHECK(deadline > std::chrono::steady_clock::now());
  CHECK(pair.host.deadline == deadline);
  pair.connection.extend_deadline(1s);  // earlier than it is
  CHECK(pair.connection.deadline() == deadline);
  TcpPair without;
  without.connection.extend_deadline(1s);
  CHECK(without.connection.deadline() == Connection::no_deadline);
}

TEST_CASE("a child that has given its slot back has no deadline") {
  TcpPair pair{std::chrono::steady_clock::now() + 10ms};
  pair.host.gives_slot_back = true;
  std::thread peer([&] {
    std::this_thread::sleep_for(30ms);
    pair.say("a line\nanother\n");
  });
  CHECK(pair.connection.read_line() == "a line");
  CHECK(pair.connection.read_line() == "another");
  peer.join();
  brood::test::Pair silent{{.blocks = true, .tcp = true, .first_byte = std::chrono::steady_clock::now()}};
  silent.host.gives_slot_back = true;
  std::thread late([&] {
    std::this_thread::sleep_for(30ms);
    silent.say("a line\n");
  });
  CHECK(silent.connection.read_line() == "a line");
  late.join();
  CHECK(pair.connection.deadline() == Connection::no_deadline);
}

TEST_CASE("a peer that sends nothing is not waited for beyond the time for its first byte") {
  for (const bool blocks : {true, false}) {
    CAPTURE(blocks);
    brood::test::Pair pair{
        {.blocks = blocks, .tcp = true, .first_byte = std::chrono::steady_clock::now() + 20ms}};
    pair.connection.write_all("hello\n");  // is no answer of the peer
    try {
      pair.connection.read_line();
      FAIL("read returned");
    } catch (const brood::TimeoutError& error) {
      CHECK(std::string(error.what()).starts_with("first-byte-timeout: read from 127.0.0.1:"));
    }
    CHECK(std::chrono::steady_clock::now() >= pair.connection.first_byte_deadline());
    pair.connection.write_all("good bye\n");
  }
}

TEST_CASE("a peer that has sent its first byte has no such limit, however late it is read") {
  for (const bool blocks : {true, false}) {
    CAPTURE(blocks);
    brood::test::Pair pair{
        {.blocks = blocks, .tcp = true, .first_byte = std::chrono::steady_clock::now() - 1s}};
    pair.say("h");
    std::array<char, 1> first{};
    CHECK(pair.connection.read_some(first) == 1);
    CHECK(pair.connection.first_byte_deadline() == Connection::no_deadline);
    std::thread peer([&] {
      std::this_thread::sleep_for(20ms);
      pair.say("ello\n");
    });
    CHECK(pair.connection.read_line() == "ello");
    peer.join();
  }
}

TEST_CASE("a peer that is gone is told from one that takes its time") {
  TcpPair pair;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  REQUIRE(::setsockopt(pair.peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  pair.peer.reset();
  bool gone = false;
  try {
    std::array<char, 8> buffer{};
    pair.connection.read_some(buffer);
  } catch (const brood::TimeoutError&) {
    FAIL("a timeout");
  } catch (const brood::ConnectionError& error) {
    gone = error.error_number() == ECONNRESET;
  }
  CHECK(gone);
}

TEST_CASE("a connection knows its ends, its listener, and passes its note on") {
  TcpPair pair;
  CHECK(pair.connection.peer().starts_with("127.0.0.1:"));
  CHECK(pair.connection.local().starts_with("127.0.0.1:"));
  CHECK(pair.connection.peer() != pair.connection.local());
  CHECK(pair.connection.listener() == "name");
  CHECK(pair.connection.peer_address().text() == pair.connection.peer());
  CHECK(pair.connection.peer_address().host() == "127.0.0.1");
  CHECK_FALSE(pair.connection.peer_credentials().has_value());
  pair.connection.note("GET /");
  CHECK(pair.host.last == "GET /");
}
