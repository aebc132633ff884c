// SPDX-License-Identifier: MIT
// broodctl explain on real servers: the size of a pool, a child that lives, children that have ended.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "broodctl.hpp"
#include "models.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::string number(pid_t pid) { return std::to_string(pid); }

bool ended(const ServiceSnapshot& service, pid_t pid) {
  for (const auto& end : service.ends)
    if (end.pid == pid) return true;
  return false;
}

}  // namespace

TEST_CASE("explain says why a service has its size, and what the parent has decided") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=3", "--max-clients=4"});
  CtlAnswer answer = ask(server, "explain");
  CHECK(answer.code == 0);
  CHECK(answer.says("has 2 children: 2 idle, 0 busy, 0 starting, 0 leaving; generation 1\n"));
  CHECK(
      answer.says("  2 spare, where min-spare-servers = 2 and max-spare-servers = 3: none is started, and "
                  "none is told to leave\n"));
  CHECK(answer.says(": started 2 children: start-servers = 2\n"));

  auto clients = server.hold(2);
  CHECK(server.reaches([](const auto& now) { return now.idle == 2; }));
  answer = ask(server, "explain brood-test-server");
  CHECK((answer.says(" were fewer than min-spare-servers = 2\n") || answer.says(" waited, and ")));
  auto more = server.hold(2);
  Client waits = server.connect();
  CHECK(server.reaches([](const auto& now) { return now.max_clients_reached == 1; }));
  answer = ask(server, "explain");
  CHECK_MESSAGE(answer.says("  max-clients = 4 permits no more, and no child is spare; 1 connection wait"),
                answer.text);
  CHECK(answer.says("waited: max-clients = 4 is reached"));
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& now) { return now.generation == 2; }));
  CHECK(ask(server, "explain").says("took other settings: children before generation 2 are outdated"));
}

TEST_CASE("explain says why a child was started, why it leaves, and how it ended") {
  ServerProcess server(pool(2));
  const pid_t living = server.children().at(0);
  CtlAnswer answer = ask(server, "explain " + number(living));
  CHECK(answer.code == 0);
  CHECK(answer.says("child " + number(living) + " of service brood-test-server, slot "));
  CHECK(answer.says("  started: "));
  CHECK(answer.says("started 2 children: start-servers = 2; seen were 0 children"));

  Client client = server.connect();
  const pid_t crashes = client.child();
  client.send("crash\n");
  CHECK(server.reaches([&](const auto& now) { return ended(now, crashes); }));
  answer = ask(server, "explain " + number(crashes));
  CHECK(answer.says(" by signal 6 (SIGABRT), which counts as failed, "));
  CHECK(answer.says(" after 1 connection\n"));
  CHECK(answer.says("  ended: nobody had told it to: see the log"));

  CHECK(server.reaches([](const auto& now) { return now.idle > 0; }));
  const pid_t retired = server.children().at(0);
  CHECK(ask(server, "retire " + number(retired)).code == 0);
  answer = ask(server, "explain " + number(retired));
  CHECK(answer.says(" with exit code 0, "));
  CHECK(answer.says("  ended: broodctl retire told it so\n"));
  CHECK(answer.says("told child " + number(retired) + " to leave: broodctl retire"));

  CHECK(ask(server, "explain 1").code == 64);
  CHECK(ask(server, "explain nobody").says("there is no service 'nobody'"));
  CHECK(ask(server, "explain one two").says("usage: broodctl explain [SERVICE|PID]"));
}

TEST_CASE("a child that took too long is explained by the time limit that ended it") {
  ServerProcess server(
      {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=2", "--connection-timeout=100ms"});
  Client client = server.connect();
  const pid_t child = client.child();
  client.send("spin\n");
  CHECK(server.reaches([&](const auto& now) { return ended(now, child); }));
  const CtlAnswer answer = ask(server, "explain " + number(child));
  CHECK(answer.says("ended child " + number(child) + ": connection-timeout"));
}

TEST_CASE("the journal crosses an upgrade") {
  const Upgradeable place(pool(2));
  const ServerProcess& server = place.server;
  const std::size_t before = server.service().decisions.size();
  REQUIRE(before > 0);
  server.signal(SIGUSR2);
  CHECK(server.reaches([](const auto& now) { return now.generation == 2; }));
  CHECK(server.service().decisions.size() > before);
  CHECK(server.service().decisions.front().kind == DecisionKind::start_first);
  CHECK(ask(server, "explain").says("went on as another program: children before generation 2 are outdated"));
}

TEST_CASE("status shows what each child costs, as /proc has it") {
  ServerProcess server(pool(1));
  const pid_t child = server.children().at(0);
  Client client = server.connect();
  CHECK(client.child() == child);
  const auto open = descriptors_of_process(child).size();
  const CtlAnswer answer = ask(server, "--json status");
  const auto slot = nlohmann::json::parse(answer.text)["services"][0]["slots"][0];
  CHECK(slot["descriptors"] == open);
  CHECK(slot["private_bytes"] > 4096);
  CHECK(slot["cpu_seconds"] >= 0);
  for (const char* column : {" PRIVATE ", " CPU ", " FDS "}) CHECK(ask(server, "status").says(column));
}
