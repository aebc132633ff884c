// SPDX-License-Identifier: MIT
// SIGSTOP: a stopped child is no spare, whatever its row on the scoreboard says.
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

namespace {

bool is_stopped(pid_t child) { return process_state(child) == 'T'; }

}  // namespace

TEST_CASE("all children stopped are replaced, and clients are served") {
  ServerProcess server(
      {"--start-servers=4", "--min-spare-servers=4", "--max-spare-servers=8", "--max-clients=32"});
  Load load(server.address(), 4);
  CHECK(load.more_answers(50));
  const auto children = server.children();
  for (const pid_t child : children) ::kill(child, SIGSTOP);
  // All of them: one that has not stopped yet could still accept the connection.
  CHECK(eventually([&] {
    return std::ranges::all_of(children, [](pid_t child) { return !is_alive(child) || is_stopped(child); });
  }));
  CHECK(server.reaches([&](const auto& service) { return service.stopped >= 4; }));
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

TEST_CASE("where max-clients leaves no room for another, a stopped child is continued, and leaves") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=2"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2; }));
  const auto held = server.hold(1);
  const auto slots = server.service().slots;
  const auto idle = std::ranges::find(slots, SlotState::idle, &SlotSnapshot::state);
  REQUIRE(idle != slots.end());
  ::kill(idle->pid, SIGSTOP);
  CHECK(server.wait_for_log("child " + std::to_string(idle->pid) +
                            " is stopped, and max-clients leaves no room"));
  CHECK(eventually([&] { return !is_alive(idle->pid); }));
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.service().children_failed == 0);
  CHECK(server.count_in_log("it is killed") == 0);
}

TEST_CASE("a child that is stopped in the moment in which it takes a connection does not lose it") {
  // It is in the way of every other child, and its row may not show the connection yet.
  ServerProcess server(
      {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1", "--max-clients=1"});
  for (int round = 0; round < 100; ++round) {
    REQUIRE(server.reaches([](const auto& service) { return service.idle == 1 && service.stopped == 0; }));
    const pid_t child = server.children().at(0);
    Client client = server.connect();
    ::kill(child, SIGSTOP);
    client.send("echo hello\nbye\n");
    // The parent leaves it alone if its row shows the connection.
    CHECK(eventually([&] {
      const ServiceSnapshot service = server.service();
      if (service.stopped == 1 && service.busy == 1) ::kill(child, SIGCONT);
      return service.total.finished == static_cast<std::uint64_t>(round) + 1;
    }));
    CHECK(client.line() == "hello");
  }
  CHECK(server.service().total.aborted == 0);
  CHECK(server.count_in_log("it is killed") == 0);
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

TEST_CASE("a stopped child that is killed is reaped like any other") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3"});
  const pid_t child = server.children().front();
  ::kill(child, SIGSTOP);
  REQUIRE(server.reaches([](const auto& service) { return service.stopped == 1; }));
  ::kill(child, SIGKILL);
  CHECK(
      server.reaches([](const auto& service) { return service.stopped == 0 && service.children_gone == 1; }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a stopped child leaves with its service, and what it has just taken is finished") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2; }));
  for (const pid_t child : server.children()) ::kill(child, SIGSTOP);
  REQUIRE(server.reaches([](const auto& service) { return service.stopped == 2; }));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("was killed") == 0);
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

TEST_CASE("a parent that was stopped catches up with what has happened") {
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
