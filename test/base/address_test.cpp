// SPDX-License-Identifier: MIT
#include "base/address.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <string>

#include "brood/error.hpp"

using brood::ListenSpec;
using brood::parse_listen;

TEST_CASE("each form of listen is parsed") {
  struct {
    const char* written;
    ListenSpec::Kind kind;
    const char *host, *port, *path, *name;
  } const rows[] = {
      {"127.0.0.1:80", ListenSpec::Kind::tcp, "127.0.0.1", "80", "", ""},
      {"8000", ListenSpec::Kind::tcp, "127.0.0.1", "8000", "", ""},
      {"*:0", ListenSpec::Kind::tcp, "", "0", "", ""},
      {"[::1]:65535,name=six", ListenSpec::Kind::tcp, "::1", "65535", "", "six"},
      {"localhost:1", ListenSpec::Kind::tcp, "localhost", "1", "", ""},
      {"unix:/run/x.sock, mode=0600, owner=a:b", ListenSpec::Kind::unix_socket, "", "", "/run/x.sock", ""},
      {"fd:3,name=inherited", ListenSpec::Kind::inherited, "", "", "", "inherited"},
      {"udp:*:53", ListenSpec::Kind::udp, "", "53", "", ""},
      {"udp:[::1]:53,name=dns", ListenSpec::Kind::udp, "::1", "53", "", "dns"},
      {"udp:53", ListenSpec::Kind::udp, "127.0.0.1", "53", "", ""},
      {"unix-datagram:/run/x.sock,mode=0600", ListenSpec::Kind::unix_datagram, "", "", "/run/x.sock", ""},
      {"fifo:/run/x,name=door,per=byte", ListenSpec::Kind::fifo, "", "", "/run/x", "door"},
      {"timer:30s,name=clock", ListenSpec::Kind::timer, "", "", "", "clock"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.written);
    const ListenSpec spec = parse_listen(row.written);
    CHECK(spec.kind == row.kind);
    CHECK(spec.host == row.host);
    CHECK(spec.port == row.port);
    CHECK(spec.path == row.path);
    CHECK(spec.name == row.name);
  }
  const ListenSpec socket = parse_listen("unix:/run/x.sock,mode=0640,owner=a:b");
  CHECK(socket.mode == 0640);
  CHECK(socket.owner == "a");
  CHECK(socket.group == "b");
}

TEST_CASE("a timer has a period, a FIFO has a mode and a kind of trigger") {
  using namespace std::chrono_literals;
  CHECK(parse_listen("timer:250ms").period == 250ms);
  CHECK(parse_listen("timer:5m").period == 5min);
  CHECK(parse_listen("timer:1h").period == 1h);
  CHECK(parse_listen("fifo:/x").per == brood::TriggerKind::line);
  CHECK(parse_listen("fifo:/x").mode == 0622);
  CHECK(parse_listen("fifo:/x,per=line").per == brood::TriggerKind::line);
  const ListenSpec fifo = parse_listen("fifo:/x,per=byte,mode=0620,owner=a:b");
  CHECK(fifo.per == brood::TriggerKind::byte);
  CHECK(fifo.mode == 0620);
  CHECK(fifo.group == "b");
}

TEST_CASE("Nagle's algorithm is off unless it is asked for, and only TCP has it") {
  CHECK_FALSE(parse_listen("80").nagle);
  CHECK(parse_listen("[::1]:80,name=six,nagle").nagle);
  CHECK(parse_listen("fd:3, nagle").nagle);
  CHECK_FALSE(parse_listen("80,nagle").proxy);
  for (const char* good : {"80,proxy", "unix:/x, proxy,mode=0600", "fd:3,proxy", "[::1]:80,nagle,proxy"})
    CHECK(parse_listen(good).proxy);
  for (const char* wrong :
       {"udp:80,proxy", "unix-datagram:/x,proxy", "timer:1s,proxy", "fifo:/x,proxy", "80,proxy=yes"})
    CHECK_THROWS_AS(parse_listen(wrong), brood::ConfigurationError);
  CHECK_THROWS_WITH_AS(parse_listen("unix:/x,nagle"), "has nagle, which only TCP can have",
                       brood::ConfigurationError);
}

TEST_CASE("two values are the same place if only their options differ") {
  const auto same = [](const char* a, const char* b) {
    return brood::same_place(parse_listen(a), parse_listen(b));
  };
  CHECK(same("timer:1m,name=a", "timer:60s"));
  CHECK_FALSE(same("timer:1m", "timer:2m"));
  CHECK(same("fifo:/x,per=byte", "fifo:/x,mode=0600"));
  CHECK_FALSE(same("fifo:/x", "unix:/x"));
  CHECK_FALSE(same("unix-datagram:/x", "unix:/x"));
  CHECK_FALSE(same("udp:53", "53"));
  CHECK(same("udp:53", "udp:127.0.0.1:53"));
}

TEST_CASE("the kind of work is known, except for an inherited listener") {
  using brood::WorkKind;
  CHECK(parse_listen("80").brings() == WorkKind::connections);
  CHECK(parse_listen("unix:/x").brings() == WorkKind::connections);
  CHECK(parse_listen("udp:53").brings() == WorkKind::datagrams);
  CHECK(parse_listen("unix-datagram:/x").brings() == WorkKind::datagrams);
  CHECK(parse_listen("fifo:/x").brings() == WorkKind::triggers);
  CHECK(parse_listen("timer:1s").brings() == WorkKind::triggers);
  CHECK_FALSE(parse_listen("fd:3").brings());
}

TEST_CASE("other forms of listen are refused") {
  for (const char* written : {"",
                              "127.0.0.1",
                              "127.0.0.1:",
                              ":80",
                              "host:-1",
                              "host:65536",
                              "host:80x",
                              "::1:80",
                              "unix:",
                              "fd:",
                              "fd:-1",
                              "fd:-x",
                              "fd:a:b",
                              "fd:a b",
                              "host:80,",
                              "host:80,colour=red",
                              "host:80,mode=0600",
                              "unix:/x,mode=8",
                              "unix:/x,mode=01777",
                              "host:80,name=",
                              "udp:",
                              "udp:host",
                              "udp:host:65536",
                              "udp:::1:53",
                              "udp:host:53,mode=0600",
                              "unix-datagram:",
                              "unix-datagram:/x,per=line",
                              "fifo:",
                              "fifo:/x,per=word",
                              "fifo:/x,per=",
                              "fifo:/x,mode=9",
                              "timer:",
                              "timer:30",
                              "timer:0",
                              "timer:0s",
                              "timer:-1s",
                              "timer:1w",
                              "timer:1s,mode=0600",
                              "timer:1s,owner=a",
                              "timer:1s,per=byte",
                              "timer:1000d",
                              "host:80,per=byte",
                              "host:80,nagle=1",
                              "udp:host:80,nagle",
                              "unix:/x,nagle"}) {
    CAPTURE(written);
    CHECK_THROWS_AS(parse_listen(written), brood::ConfigurationError);
  }
  CHECK_THROWS_AS(parse_listen("unix:/" + std::string(108, 'x')), brood::ConfigurationError);
  CHECK_THROWS_WITH_AS(parse_listen("timer:30"), "has a wrong period: '30' needs a unit: ms, s, m, h or d",
                       brood::ConfigurationError);
  CHECK_THROWS_WITH_AS(parse_listen("udp:53,per=byte"), "has per=, which only FIFOs can have",
                       brood::ConfigurationError);
}

TEST_CASE("addresses are printed with their port") {
  sockaddr_storage storage{};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(80);
  ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(brood::to_text(storage) == "127.0.0.1:80");
  storage = {};
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(443);
  ipv6.sin6_addr = in6addr_loopback;
  CHECK(brood::to_text(storage) == "[::1]:443");
  storage = {};
  CHECK(brood::to_text(storage) == "unknown");
  storage.ss_family = AF_UNIX;
  CHECK(brood::to_text(storage) == "unix");
}
