// SPDX-License-Identifier: MIT
#include "address.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <string>

#include "brood/error.hpp"

using brood::ListenSpec;
using brood::parse_listen;

TEST_CASE("what an operator writes names a place to listen") {
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

TEST_CASE("what is no place to listen is refused") {
  for (const char* written : {"", "127.0.0.1", "127.0.0.1:", ":80", "host:-1", "host:65536", "host:80x",
                              "::1:80", "unix:", "fd:", "fd:-1", "fd:x", "host:80,", "host:80,colour=red",
                              "host:80,mode=0600", "unix:/x,mode=8", "unix:/x,mode=01777", "host:80,name="}) {
    CAPTURE(written);
    CHECK_THROWS_AS(parse_listen(written), brood::ConfigurationError);
  }
  CHECK_THROWS_AS(parse_listen("unix:/" + std::string(108, 'x')), brood::ConfigurationError);
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
