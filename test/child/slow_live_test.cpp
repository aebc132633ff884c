// SPDX-License-Identifier: MIT
// slow-timeout: the log has, once, where in its code a child is whose connection lasts for long, and the
// connection goes on.
#include <doctest/doctest.h>

#include <csignal>

#include "broodctl.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> slow(unsigned children, const std::string& timeout = "200ms") {
  auto settings = pool(children);
  settings.push_back("--slow-timeout=" + timeout);
  return settings;
}

// A container may forbid ptrace(2).
bool may_look(const ServerProcess& server, const std::string& child) {
  REQUIRE(server.wait_for_log("child " + child + ": "));
  if (server.count_in_log("Operation not permitted") == 0) return true;
  MESSAGE("skipped: this process may not look at others");
  return false;
}

constexpr const char* line = ": a slow connection, beyond slow-timeout";

}  // namespace

TEST_CASE("a slow connection has its stack in the log once, and goes on") {
  ServerProcess server(slow(2));
  Client client = server.connect();
  const std::string child = client.ask("pid"), peer = client.ask("peer");
  CHECK(client.ask("note GET /slow") == "noted");
  client.send("hold 1500\n");
  if (!may_look(server, child)) return;
  CHECK(server.wait_for_log("child " + child + " while serving " + peer + " 'GET /slow' for "));
  CHECK(server.wait_for_log("TestServer::handle_connection(brood::Connection&) at "));
  CHECK(client.line() == "held");
  CHECK(client.ask("hold 300") == "held");  // the same connection
  CHECK(client.ask("pid") == child);
  CHECK(server.count_in_log(line) == 1);
  client.close();
  REQUIRE(server.reaches([](const auto& service) { return service.busy == 0; }));
  Client other = server.connect();
  const std::string its_child = other.ask("pid");
  other.send("spin\n");
  CHECK(server.wait_for_log("child " + its_child + " while serving "));
  CHECK(server.wait_for_log("TestServer::spin() at "));
  CHECK(server.count_in_log(line) == 2);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("children of another user are looked at by a parent that is root") {
  if (skipped_without_root()) return;
  auto settings = slow(1);
  settings.emplace_back("--user=nobody");
  ServerProcess server(settings);
  Client client = server.connect();
  const std::string child = client.ask("pid");
  client.send("hold 1500\n");
  if (!may_look(server, child)) return;
  CHECK(server.wait_for_log("poll"));
  CHECK(client.line() == "held");
}

TEST_CASE("connections that are not slow are not reported, whatever lasts beside them") {
  ServerProcess server(slow(3, "20s"));
  Client held = server.connect();
  held.ask("pid");
  for (int i = 0; i < 20; ++i) CHECK(server.connect().ask("hold 10") == "held");
  CHECK(server.count_in_log(line) == 0);
}

TEST_CASE("of many slow connections six have their stacks in the log") {
  constexpr unsigned many = 9;
  ServerProcess server(slow(many));
  std::vector<Client> clients = server.hold(many);
  REQUIRE(eventually([&] { return server.count_in_log(line) == 6; }));
  CHECK(stays([&] { return server.count_in_log(line) == 6; }, 500ms));
  CHECK(server.service().busy == many);
}

TEST_CASE("a child with many connections is looked at for the oldest of them") {
  auto settings = slow(1, "300ms");
  ServerProcess server(settings, {.program = "brood-event-test-server"});
  Client first = server.connect();
  first.ask("pid");
  REQUIRE(eventually([&] { return server.count_in_log(line) == 1; }));
  Client second = server.connect();
  second.ask("pid");
  first.close();
  // Nothing else happens: the child has told the parent of its new oldest connection.
  CHECK(eventually([&] { return server.count_in_log(line) == 2; }));
}

TEST_CASE("slow-timeout can be changed by a scale, and is handed over") {
  ServerProcess server(slow(2, "1h"));
  Client client = server.connect();
  const std::string child = client.ask("pid");
  CHECK(ask(server, "scale brood-test-server slow-timeout=100ms").code == 0);
  REQUIRE(server.wait_for_log("child " + child + " while serving "));
  if (!may_look(server, child)) return;
  server.signal(SIGUSR2);
  REQUIRE(server.reaches([](const auto& service) { return service.generation == 2; }));
  CHECK(client.ask("hold 500") == "held");
  CHECK(server.count_in_log(line) == 1);
}
