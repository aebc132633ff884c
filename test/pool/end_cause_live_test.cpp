// SPDX-License-Identifier: MIT
// Each child that has ended is counted by its cause: what the parent had told it, or what has ended it.
#include <doctest/doctest.h>

#include <csignal>
#include <numeric>

#include "broodctl.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::uint64_t ended(const ServiceSnapshot& service, EndCause cause) {
  return service.children_ended.at(static_cast<std::size_t>(cause));
}

bool adds_up(const ServiceSnapshot& service) {
  const auto& all = service.children_ended;
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0}) == service.children_gone;
}

// Waits until so many children have ended for this cause, and none for another one but `before`.
bool ends(const ServerProcess& server, EndCause cause, std::uint64_t number, std::uint64_t before = 0) {
  return server.reaches([&](const ServiceSnapshot& service) {
    CHECK(adds_up(service));
    return ended(service, cause) == number && service.children_gone == number + before;
  });
}

ServerProcess& settled(ServerProcess& server, std::uint32_t children) {
  REQUIRE(server.reaches([&](const auto& service) { return service.idle == children; }));
  return server;
}

std::vector<std::string> of_two(const std::string& more = "") {
  std::vector<std::string> settings = {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=2",
                                       "--max-clients=4"};
  if (!more.empty()) settings.push_back(more);
  return settings;
}

}  // namespace

TEST_CASE("a child that was not asked to end has a cause") {
  ServerProcess server(of_two());
  settled(server, 2);
  SUBCASE("a signal of somebody") {
    ::kill(server.children().front(), SIGKILL);
    CHECK(ends(server, EndCause::signal, 1));
  }
  SUBCASE("a crash, with a connection") {
    server.connect().send("crash\n");
    CHECK(ends(server, EndCause::signal, 1));
  }
  SUBCASE("an exit code") {
    server.connect().send("exit 3\n");
    CHECK(ends(server, EndCause::exit_code, 1));
  }
  SUBCASE("exit code 0") {
    server.connect().send("exit 0\n");
    CHECK(ends(server, EndCause::unasked, 1));
  }
  SUBCASE("this_child::stop()") {
    CHECK(server.connect().ask("stop") == "stopping");
    CHECK(ends(server, EndCause::own_stop, 1));
  }
  SUBCASE("this_child::detach()") {
    Client client = server.connect();
    CHECK(client.ask("detach") == "detached");
    CHECK(ends(server, EndCause::detached, 1));
  }
}

TEST_CASE("a child that an order ends has it as its cause, over an upgrade") {
  ServerProcess server(of_two());
  settled(server, 2);
  CHECK(ask(server, "retire " + std::to_string(server.children().front())).code == 0);
  REQUIRE(ends(server, EndCause::retire, 1));
  settled(server, 2);
  CHECK(ask(server, "reload").code == 0);
  REQUIRE(ends(server, EndCause::outdated, 2, 1));
  CHECK(ask(server, "upgrade").code == 0);
  REQUIRE(ends(server, EndCause::outdated, 4, 1));
  CHECK(ask(server, "pause brood-test-server").code == 0);
  REQUIRE(ends(server, EndCause::pause, 2, 5));
  CHECK(ended(server.service(), EndCause::retire) == 1);
  const CtlAnswer page = ask(server, "status");
  CHECK(page.says("children ended: 4 outdated, 1 retire, 2 pause"));
}

TEST_CASE("a child that its settings replace has the setting as its cause") {
  SUBCASE("max-requests-per-child") {
    ServerProcess server(of_two("--max-requests-per-child=3"));
    CHECK(eventually([&] {
      CHECK(server.connect().ask("echo x") == "x");
      return ended(server.service(), EndCause::requests) >= 2;
    }));
    CHECK(ended(server.service(), EndCause::outdated) == 0);
  }
  SUBCASE("max-lifetime-per-child") {
    ServerProcess server(of_two("--max-lifetime-per-child=500ms"));
    CHECK(server.reaches([](const auto& service) { return ended(service, EndCause::age) >= 2; }));
    CHECK(ended(server.service(), EndCause::outdated) == 0);
  }
  SUBCASE("max-memory-per-child") {
    ServerProcess server(of_two("--max-memory-per-child=20M"));
    CHECK(server.connect().ask("leak 40000") == "leaked");
    CHECK(ends(server, EndCause::memory, 1));
  }
  SUBCASE("connection-timeout") {
    ServerProcess server(of_two("--connection-timeout=200ms"));
    server.connect().send("spin\n");
    CHECK(ends(server, EndCause::killed, 1));
  }
  SUBCASE("max-spare-servers") {
    ServerProcess server(
        {"--start-servers=4", "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=4"});
    CHECK(ends(server, EndCause::surplus, 2));
  }
  SUBCASE("idle-timeout") {
    ServerProcess server({"--start-servers=3", "--min-spare-servers=1", "--max-spare-servers=4",
                          "--max-clients=4", "--idle-timeout=1s"});
    CHECK(ends(server, EndCause::idle, 2));
  }
}
