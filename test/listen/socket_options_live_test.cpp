// SPDX-License-Identifier: MIT
// Options of listeners that connections inherit, and what the log says of listeners.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <csignal>
#include <fstream>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::string option(Client& client, int level, int name) {
  return client.ask("option " + std::to_string(level) + " " + std::to_string(name));
}

// Keepalive, idle, interval, count, user timeout.
std::string options(const ServerProcess& server) {
  Client client = server.connect();
  std::string all = option(client, SOL_SOCKET, SO_KEEPALIVE);
  for (const int name : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT})
    all += " " + option(client, IPPROTO_TCP, name);
  return all;
}

}  // namespace

TEST_CASE("connections have the options of TCP that their listener has, and a reload changes them") {
  const TemporaryDirectory place;
  const std::string file = place / "conf";
  write_file(file, "");
  ServerProcess server({"--config=" + file});
  const std::string defaults = options(server);
  CHECK(defaults.starts_with("0 "));
  std::uint32_t generation = 1;
  const auto reload = [&](const std::string& settings) {
    write_file(file, settings);
    server.signal(SIGHUP);
    REQUIRE(server.reaches(settled_at(++generation)));
    return options(server);
  };
  CHECK(reload("tcp-keepalive = 60s/10s/5\ntcp-user-timeout = 1500ms\n") == "1 60 10 5 1500");
  CHECK(reload("tcp-keepalive = 90s\n").starts_with("1 90 "));
  CHECK(reload("").starts_with("0 "));
  CHECK(options(server) == defaults);
}

TEST_CASE("a connection that is deferred reaches a child with its first byte") {
  ServerProcess server({"--tcp-defer-accept=60s"});
  Client silent = server.connect();
  Client loud = server.connect();
  CHECK(loud.ask("echo here") == "here");
  CHECK(server.service().total.accepted == 1);
  CHECK(silent.ask("echo now") == "now");
}

TEST_CASE("an address that the machine does not have can be listened on with freebind") {
  const ServerProcess with({"--listen=192.0.2.1:0", "--freebind"}, {.listen = false});
  CHECK(with.address().starts_with("192.0.2.1:"));
  ServerProcess without({"--listen=192.0.2.1:0"}, {.listen = false, .wait_ready = false});
  CHECK(without.wait_exit().value().code != 0);
}

TEST_CASE("a double of a listener is opened once and reported") {
  const std::string socket = "unix:/tmp/brood-double-" + std::to_string(::getpid());
  const ServerProcess server({"--listen=" + socket, "--listen=" + socket}, {.listen = false});
  CHECK(server.addresses().size() == 1);
  CHECK(server.count_in_log("listen = " + socket + " is given twice, and is opened once") == 1);
}

TEST_CASE("a queue that the kernel cuts is reported") {
  const ServerProcess server({"--listen-backlog=65535"});
  int most = 65'535;
  std::ifstream("/proc/sys/net/core/somaxconn") >> most;
  const unsigned expected = most < 65'535 ? 1 : 0;
  CHECK(server.count_in_log("fewer than listen-backlog = 65535: raise net.core.somaxconn") == expected);
  const ServerProcess short_one({"--listen-backlog=1"});
  CHECK(short_one.count_in_log("raise net.core.somaxconn") == 0);
}

TEST_CASE("a keepalive that is none is refused") {
  for (const char* wrong : {"60", "60s/x", "60s/10s/200", "60s/10s/5/1", "10h"}) {
    ServerProcess server({"--tcp-keepalive=" + std::string(wrong)}, {.log = false, .wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("is not IDLE/INTERVAL/COUNT, as 60s/10s/5") != std::string::npos);
  }
}

TEST_CASE("a client that says nothing or takes nothing is given up after read-timeout and write-timeout") {
  auto arguments = pool(2);
  for (const char* setting : {"--read-timeout=300ms", "--write-timeout=300ms"})
    arguments.emplace_back(setting);
  ServerProcess server(arguments);
  const auto children = server.children();
  Client silent = server.connect();
  CHECK(silent.ending() == Ending::closed);
  Client full = server.connect();
  full.send("flood 100000000\n");
  CHECK(server.reaches(
      [](const auto& service) { return service.total.timed_out == 2 && service.open_connections == 0; }));
  // Idle children have waited longer than that, and are still there.
  CHECK(server.connect().ask("echo here") == "here");
  CHECK(server.children() == children);
  CHECK(server.count_in_log("out of descriptors") == 0);
}
