// SPDX-License-Identifier: MIT
// What a handler reads and writes in pieces, and what it knows of its peer.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "brood/address.hpp"
#include "brood/error.hpp"
#include "connection_pair.hpp"

using namespace std::chrono_literals;
using namespace std::string_literals;
using brood::Address;
using brood::Connection;
using brood::test::numbered;
using brood::test::Pair;

TEST_CASE("a handler mixes pieces of every kind") {
  Pair pair(true);
  pair.say("head: 1\r\n\r\nexact\0\0\0\3abc\1x\0\2yyline\nrest"s);
  ::shutdown(pair.peer.get(), SHUT_WR);
  Connection& connection = pair.connection;
  CHECK(connection.read_until("\r\n\r\n") == "head: 1");
  CHECK(connection.read_exact(5) == "exact");
  CHECK(connection.read_frame<4>() == "abc");
  CHECK(connection.read_frame<1>(1) == "x");
  CHECK(connection.read_frame<2>() == "yy");
  CHECK(connection.read_line() == "line");
  std::array<std::byte, 4> rest{};
  CHECK(connection.read_exact(rest));
  CHECK(rest[3] == std::byte{'t'});
  CHECK_FALSE(connection.read_exact(rest));
  CHECK_FALSE(connection.read_exact(1).has_value());
  CHECK_FALSE(connection.read_until(";").has_value());
  CHECK_FALSE(connection.read_frame<4>().has_value());
  CHECK(connection.ended());
}

TEST_CASE("an event loop gets the same pieces when they are whole") {
  Pair pair;
  Connection& connection = pair.connection;
  std::array<unsigned char, 3> three{};
  CHECK_FALSE(connection.try_until("--").has_value());
  pair.say("un-");
  CHECK_FALSE(connection.try_until("--").has_value());
  pair.say("til---a");
  CHECK(connection.try_until("--") == "un-til");
  CHECK_FALSE(connection.try_exact(3).has_value());
  CHECK_FALSE(connection.try_exact(three));
  pair.say("b\0"s);
  CHECK(connection.try_exact(three));
  CHECK(three == std::array<unsigned char, 3>{'-', 'a', 'b'});
  CHECK_FALSE(connection.try_frame<2>().has_value());
  pair.say("\4tri");
  CHECK_FALSE(connection.try_frame<2>().has_value());
  pair.say("p\0\5"s);
  CHECK(connection.try_frame<2>() == "trip");
  CHECK_THROWS_AS(connection.try_frame<2>(4), brood::TooLongError);
  connection.skip();
  pair.say("fivexlast");
  CHECK(connection.try_exact(4) == "last");
  CHECK_FALSE(connection.ended());
  pair.say("\0"s);
  pair.peer.reset();
  CHECK_THROWS_AS(connection.try_frame<2>(), brood::ConnectionError);
}

TEST_CASE("a peer that ends within a piece is an error of the connection, and what came is still there") {
  Pair pair(true);
  pair.say("half");
  ::shutdown(pair.peer.get(), SHUT_WR);
  CHECK_THROWS_AS(pair.connection.read_exact(5), brood::ConnectionError);
  CHECK_THROWS_AS(pair.connection.read_until("\n\n"), brood::ConnectionError);
  CHECK_THROWS_AS(pair.connection.read_frame<1>(255), brood::ConnectionError);
  CHECK(pair.connection.read_line() == "half");
  Pair other(true);
  other.say("half");
  ::shutdown(other.peer.get(), SHUT_WR);
  std::array<char, 5> five{};
  CHECK_THROWS_AS(other.connection.read_exact(five), brood::ConnectionError);
}

TEST_CASE("memory of each kind of byte is read into and written from") {
  Pair pair(true);
  char array[2];
  std::vector<unsigned char> bytes(2);
  std::string text(2, ' ');
  pair.say("abcdefgh");
  CHECK(pair.connection.read_some(array) == 2);
  CHECK(pair.connection.read_some(bytes) == 2);
  CHECK(pair.connection.read_some(text) == 2);
  CHECK(pair.connection.read_some({array, 1}) == 1);
  CHECK(pair.connection.read_some(std::span(bytes).first(1)) == 1);
  CHECK(bytes == std::vector<unsigned char>{'h', 'd'});
  CHECK(text == "ef");
  pair.connection.write_all(bytes);
  pair.connection.write_all({bytes.data(), 1});
  pair.connection.write_all(std::as_bytes(std::span(text)));
  pair.connection.write_all(text, "-", bytes, std::array{std::byte{'!'}});
  CHECK(pair.hear() == "hdhefef-hd!");
}

TEST_CASE("pieces are written together, in order, whatever the peer takes at once") {
  const std::string large = numbered(3'000'000);
  Pair pair;
  pair.connection.write_all("", "a", "", "b");
  CHECK(pair.hear() == "ab");
  pair.connection.write_all("", "");
  CHECK_FALSE(pair.connection.has_output());
  pair.connection.write_all("first", large, "", large, "last");
  REQUIRE(pair.connection.has_output());
  const std::vector<brood::Bytes> any_number = {"and", " more"};
  pair.connection.write_all(any_number);
  CHECK(pair.hear_all() == "first" + large + large + "lastand more");
  CHECK(pair.connection.bytes_written() == 2 + 5 + 6'000'000 + 4 + 8);
}

TEST_CASE("pieces are one packet: a peer that reads packets gets them so") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0);
  const brood::Descriptor peer(ends[1]);
  brood::test::Host host;
  const sockaddr_storage nobody{};
  Connection connection{brood::Descriptor(ends[0]), {.peer = nobody, .listener = "", .host = host}};
  connection.write_all("head", " ", "body");
  std::array<char, 64> packet{};
  CHECK(::recv(peer.get(), packet.data(), packet.size(), 0) == 9);
}

TEST_CASE("a handler sets a deadline, earlier or later, with connection-timeout or without") {
  Pair pair(true);
  pair.connection.set_deadline(20ms);
  std::array<char, 8> buffer{};
  try {
    pair.connection.read_some(buffer);
    FAIL("read returned");
  } catch (const brood::TimeoutError& error) {
    CHECK(std::string(error.what()).starts_with("deadline: read from "));
  }
  pair.connection.set_deadline(1h);
  pair.say("x");
  CHECK(pair.connection.read_some(buffer) == 1);
  const auto later = pair.connection.deadline();
  CHECK(pair.host.deadline == later);
  pair.connection.set_deadline(1min);
  CHECK(pair.connection.deadline() < later);
  CHECK(pair.host.deadline == later);  // the parent's does not come earlier
}

TEST_CASE("the process at the other end of a unix socket is known") {
  const Pair pair;
  const auto credentials = pair.connection.peer_credentials();
  REQUIRE(credentials.has_value());
  CHECK(credentials->pid == ::getpid());
  CHECK(credentials->uid == ::getuid());
  CHECK(credentials->gid == ::getgid());
}

TEST_CASE("an address is a value with parts") {
  sockaddr_storage storage{};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(80);
  ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Address four(storage);
  CHECK(four.family() == Address::Family::ipv4);
  CHECK(four.text() == "127.0.0.1:80");
  CHECK(four.host() == "127.0.0.1");
  CHECK(four.port() == 80);
  CHECK(four.size() == sizeof(sockaddr_in));
  storage = {};
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(80);
  ipv6.sin6_addr = in6addr_loopback;
  const Address six(storage);
  CHECK(six.family() == Address::Family::ipv6);
  CHECK(six.host() == "::1");
  CHECK(six.port() == 80);
  CHECK_FALSE(six == four);
  CHECK(six == Address(storage));
  CHECK(six.unmapped() == six);
  ipv6.sin6_addr = {};
  ipv6.sin6_addr.s6_addr[10] = ipv6.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(&ipv6.sin6_addr.s6_addr[12], "\x7f\0\0\1", 4);
  CHECK(Address(storage).unmapped() == four);
  storage = {};
  auto& local = reinterpret_cast<sockaddr_un&>(storage);
  local.sun_family = AF_UNIX;
  CHECK(Address(storage).family() == Address::Family::unix_socket);
  CHECK(Address(storage).text() == "unix");
  CHECK(Address(storage).host().empty());
  CHECK(Address(storage).port() == 0);
  std::strcpy(local.sun_path, "/x");
  CHECK(Address(storage).text() == "unix:/x");
  CHECK(Address(storage).size() == offsetof(sockaddr_un, sun_path) + 3);
  CHECK(Address().family() == Address::Family::other);
}
