// SPDX-License-Identifier: MIT
// No child before the first connection, and none long after the last one.
#include <doctest/doctest.h>

#include <csignal>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::vector<std::string> on_demand = {"--start-servers=0", "--min-spare-servers=0"};

std::vector<std::string> with(std::vector<std::string> settings, const std::string& more) {
  settings.push_back(more);
  return settings;
}

}  // namespace

TEST_CASE("the first connection starts a child and is served by it") {
  ServerProcess server(on_demand);
  CHECK(server.children().empty());
  CHECK(server.service().children_started == 0);
  Client client = server.connect();
  CHECK(client.ask("echo hello") == "hello");
  CHECK(server.children().size() == 1);
}

TEST_CASE("one that comes while all are busy starts another child, and one that finds an idle one does not") {
  ServerProcess server(on_demand);
  const auto held = server.hold(3);
  // A child may serve before the parent has returned from fork() and counted it.
  CHECK(server.reaches([](const auto& service) { return service.children_started == 3; }));
  server.connect().ask("echo hello");
  CHECK(server.reaches([](const auto& service) { return service.idle == 1; }));
  for (int i = 0; i < 10; ++i) {
    // The parent is not in the middle of a look that began when this one was busy.
    CHECK(server.reaches([](const auto& service) { return service.spare == 1; }));
    CHECK(rests(server.pid(), 20ms));
    server.connect().ask("echo hello");
    CHECK(server.reaches([](const auto& service) { return service.idle == 1; }));
  }
  CHECK(server.service().children_started == 4);
}

TEST_CASE("as many are started as wait, up to max-clients, and what is beyond waits its turn") {
  ServerProcess server(with(on_demand, "--max-clients=8"));
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(server.connect());
    clients.back().send("bye\n");
  }
  for (auto& client : clients) CHECK(client.line() == "bye");
  CHECK(server.service().children_started <= 8);
}

TEST_CASE("idle-timeout lets the last one go, and the next connection starts one again") {
  ServerProcess server(with(on_demand, "--idle-timeout=500ms"));
  for (int i = 0; i < 3; ++i) {
    Client client = server.connect();
    const pid_t child = client.child();
    CHECK(child > 0);
    client.close();
    CHECK(server.reaches([](const auto& service) { return service.children() == 0; }));
    CHECK_FALSE(is_alive(child));
  }
  CHECK(server.service().children_started == 3);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("idle-timeout leaves min-spare-servers, and whoever is busy") {
  ServerProcess server(
      {"--start-servers=6", "--min-spare-servers=2", "--max-spare-servers=10", "--idle-timeout=300ms"});
  const auto held = server.hold(2);
  CHECK(server.reaches([](const auto& service) { return service.busy == 2 && service.idle == 2; }));
}

TEST_CASE("under light load children that a burst has left leave, whoever is woken") {
  ServerProcess server(with(on_demand, "--idle-timeout=2s"));
  auto burst = server.hold(10);
  burst.clear();
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 10; }));
  Load load(server.address(), 1, "hold 20", "held");
  CHECK(server.reaches([](const auto& service) { return service.children() <= 2; }));
  CHECK(load.more_answers(10));
  CHECK(load.stop().failed() == 0);
  CHECK(server.reaches([](const auto& service) { return service.children() == 0; }));
  CHECK(rests(server.pid(), 1s));
}

TEST_CASE("nobody wakes while nothing comes") {
  ServerProcess server(with(on_demand, "--idle-timeout=100ms"));
  server.connect().ask("echo hello");
  REQUIRE(server.reaches([](const auto& service) { return service.children() == 0; }));
  CHECK(rests(server.pid(), 2s));
}

TEST_CASE("children that fail are started ever later, and what waits is served when they don't") {
  const TemporaryDirectory directory;
  write_file(directory / "order", "exit 3\n");
  ServerProcess server(with(on_demand, "--child-start=" + (directory / "order")));
  Client client = server.connect();
  client.send("echo late\n");
  std::uint64_t started = 0;
  CHECK(server.reaches([&](const auto& service) {
    started = service.children_started;
    return service.children_failed >= 6;
  }));
  CHECK(started <= 7);  // four at once, then after 1 s and after 2 s
  write_file(directory / "order", "\n");
  CHECK(client.line() == "late");
}

TEST_CASE("a reload and a stop without children lose nothing") {
  ServerProcess server(on_demand);
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("reloaded"));
  CHECK(server.connect().ask("echo hello") == "hello");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}
