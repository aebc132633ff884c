// SPDX-License-Identifier: MIT
// SIGSTOP: a child that can't serve is no spare, whatever the table says of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("a stopped idle child is shown, replaced, and counts again when it continues") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3", "--max-spare-servers=6"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 3; }));
  const auto children = server.children();
  ::kill(children.front(), SIGSTOP);
  CHECK(server.reaches([](const auto& service) { return service.stopped == 1 && service.children() == 4; }));
  CHECK(server.wait_for_log("child " + std::to_string(children.front()) + " was stopped"));
  const auto slots = server.service().slots;
  CHECK(std::any_of(slots.begin(), slots.end(),
                    [&](const auto& slot) { return slot.pid == children.front() && slot.stopped; }));
  // Three that can serve are left: three held connections at once.
  auto held = server.hold(2);
  held.clear();
  ::kill(children.front(), SIGCONT);
  CHECK(server.reaches([](const auto& service) { return service.stopped == 0; }));
  CHECK(server.service().children_failed == 0);
  CHECK(is_alive(children.front()));
}

TEST_CASE("all children stopped are replaced, and clients are served") {
  ServerProcess server(
      {"--start-servers=4", "--min-spare-servers=4", "--max-spare-servers=8", "--max-clients=32"});
  Load load(server.address(), 4);
  CHECK(load.more_answers(50));
  const auto children = server.children();
  for (const pid_t child : children) ::kill(child, SIGSTOP);
  // All of them: one that has not stopped yet could still accept the connection.
  CHECK(server.reaches([&](const auto& service) { return service.stopped >= children.size(); }));
  CHECK(server.connect().ask("echo hello") == "hello");
  for (const pid_t child : children) ::kill(child, SIGCONT);
  CHECK(load.more_answers(50));
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(server.reaches([&](const auto& service) {
    return service.stopped == 0 && service.open_connections == 0 && service.children() <= 8;
  }));
  CHECK(server.reaches([&](const auto& service) { return service.total.aborted == 0; }));
}

TEST_CASE("a child stopped in a connection goes on with it when it continues") {
  ServerProcess server;
  Client client = server.connect();
  const pid_t child = client.child();
  client.ask("note GET /halted");
  ::kill(child, SIGSTOP);
  CHECK(server.wait_for_log("'GET /halted'"));
  CHECK(server.reaches([](const auto& service) { return service.stopped == 1 && service.idle >= 5; }));
  CHECK(server.connect().ask("echo others") == "others");
  ::kill(child, SIGCONT);
  CHECK(client.ask("echo on") == "on");
}

TEST_CASE("a stopped child that is killed is buried as any other") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3"});
  const pid_t child = server.children().front();
  ::kill(child, SIGSTOP);
  REQUIRE(server.reaches([](const auto& service) { return service.stopped == 1; }));
  ::kill(child, SIGKILL);
  CHECK(
      server.reaches([](const auto& service) { return service.stopped == 0 && service.children_gone == 1; }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a stopped child does not keep a reload from being complete once it continues") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 3; }));
  const pid_t child = server.children().front();
  ::kill(child, SIGSTOP);
  REQUIRE(server.reaches([](const auto& service) { return service.stopped == 1; }));
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) {
    return std::all_of(service.slots.begin(), service.slots.end(), [](const auto& slot) {
      return slot.state == SlotState::empty || slot.stopped || slot.generation == 2;
    });
  }));
  ::kill(child, SIGCONT);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("a parent that was stopped catches up with what happened meanwhile") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3", "--max-spare-servers=5"});
  auto held = server.hold(1);
  server.signal(SIGSTOP);
  REQUIRE(eventually([&] { return process_state(server.pid()) == 'T'; }));
  CHECK(server.snapshot().parent_state == 'T');
  const auto more = server.hold(2);
  ::kill(held.front().child(), SIGKILL);
  Client waiting = server.connect();
  waiting.send("echo served\n");
  server.signal(SIGCONT);
  CHECK(waiting.line() == "served");
  CHECK(server.reaches([](const auto& service) { return service.total.aborted == 1 && service.idle >= 3; }));
}
