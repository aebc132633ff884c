// SPDX-License-Identifier: MIT
// Connections that are held end up with about as many in each child.
#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <vector>

#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr unsigned children = 8;
constexpr unsigned connections = 400;

void check_even(const ServerProcess& server, std::uint32_t fewest = 40) {
  REQUIRE(server.reaches([](const auto& service) { return service.open_connections == connections; }));
  for (const auto& slot : server.service().slots) {
    if (slot.state == SlotState::empty) continue;
    CAPTURE(slot.index);
    CHECK(slot.open_connections >= fewest);
    CHECK(slot.open_connections <= 60);
  }
}

bool all_are_spares(const ServiceSnapshot& service) { return service.spare == children; }

std::vector<std::string> eight_children() {
  const std::string number = std::to_string(children);
  return {"--start-servers=" + number, "--min-spare-servers=" + number, "--max-spare-servers=" + number,
          "--max-clients=" + number};
}

ServerOptions event_model(std::vector<std::string>& arguments) {
  ServerOptions options;
  SUBCASE("event loop") { options.program = "brood-event-test-server"; }
  SUBCASE("event loop with threads") {
    options.program = "brood-event-test-server";
    arguments.push_back("--threads-per-child=2");
  }
  SUBCASE("coroutines") { options.program = "brood-async-test-server"; }
  return options;
}

}  // namespace

TEST_CASE("400 connections at once are spread over 8 children") {
  std::vector<std::string> arguments = eight_children();
  const ServerOptions options = event_model(arguments);
  const ServerProcess server(arguments, options);
  REQUIRE(server.reaches(all_are_spares));
  std::vector<Client> held;
  while (held.size() < connections) held.push_back(server.connect());
  check_even(server);
}

TEST_CASE("400 clients that come one after another are spread, and those of a child that died as well") {
  std::vector<std::string> arguments = eight_children();
  const ServerOptions options = event_model(arguments);
  const ServerProcess server(arguments, options);
  std::vector<Client> held;
  REQUIRE(server.reaches(all_are_spares));
  const auto come = [&] {
    while (held.size() < connections) {
      held.push_back(server.connect());
      held.back().child();
    }
  };
  come();
  check_even(server);
  const pid_t victim = held.front().child();
  ::kill(victim, SIGKILL);
  REQUIRE(server.reaches(
      [](const auto& service) { return service.children_gone == 1 && all_are_spares(service); }));
  std::erase_if(held, [](Client& client) {
    try {
      client.child();
      return false;
    } catch (const ClientError&) {
      return true;
    }
  });
  CHECK(held.size() < connections);
  come();
  // A child leaves a new connection to its siblings for 32 ms at most. If the machine is so busy that the new
  // child runs later than that, others take some of its connections; more of them with coroutines, where a
  // connection wakes all children.
  check_even(server, options.program == "brood-async-test-server" ? 20 : 30);
}
