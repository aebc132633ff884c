// SPDX-License-Identifier: MIT
// max-requests-per-child: each child is replaced in time, and clients don't notice.
#include <doctest/doctest.h>
#include <sys/types.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "capped.hpp"
#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// Connections one after the other, each answered, until so many children have been replaced.
bool serves_until_replaced(const ServerProcess& server, std::uint64_t children) {
  return eventually([&] {
    for (int i = 0; i < 10; ++i) REQUIRE(server.connect().ask("echo x") == "x");
    return server.service().children_gone >= children;
  });
}

}  // namespace

TEST_CASE("a child is replaced after its number of connections, and each connection is served") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-requests-per-child=5"});
  std::map<pid_t, int> connections;
  std::uint64_t made = 0;
  CHECK(eventually([&] {
    ++connections[server.connect().child()];
    return ++made >= 60 && connections.size() >= 4;
  }));
  CHECK(server.reaches([&](const auto& service) {
    return service.total.finished == made && service.starting == 0 && service.leaving == 0 &&
           std::none_of(service.slots.begin(), service.slots.end(),
                        [](const auto& slot) { return slot.asks || slot.figures.accepted >= 5; });
  }));
  const ServiceSnapshot service = server.service();
  CHECK(service.total.accepted == made);
  CHECK(service.total.failed == 0);
  CHECK(service.children_failed == 0);
  CHECK(service.children_gone >= 2);
  for (const auto& [pid, served] : connections)
    if (served > 5) CHECK_FALSE(is_alive(pid));
}

TEST_CASE("under load children are replaced at their cap, and no connection is lost") {
  ServerProcess server({"--start-servers=4", "--min-spare-servers=2", "--max-spare-servers=6",
                        "--max-clients=16", "--max-requests-per-child=10"});
  Load load(server.address(), 8);
  CHECK(load.more_answers(2000));
  CHECK(server.reaches([](const auto& service) { return service.children_gone >= 5; }));
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(server.reaches([&](const auto& service) { return service.total.finished == figures.answered; }));
  const ServiceSnapshot service = server.service();
  CHECK(service.total.accepted == figures.answered);
  CHECK(service.children_failed == 0);
  // A child serves until its replacement is ready, so it may exceed the cap for a while.
  CHECK(server.reaches([](const auto& now) {
    return std::all_of(now.slots.begin(), now.slots.end(),
                       [](const auto& slot) { return slot.figures.accepted < 10; });
  }));
}

TEST_CASE("under load the cap is exceeded by at most 2") {
  std::vector<std::string> arguments = {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2",
                                        "--max-clients=8", "--max-requests-per-child=10"};
  ServerOptions options;
  SUBCASE("blocking") {}
  SUBCASE("event loop") { options.program = "brood-event-test-server"; }
  SUBCASE("event loop with threads") {
    options.program = "brood-event-test-server";
    arguments.emplace_back("--threads-per-child=4");
  }
  SUBCASE("coroutines") { options.program = "brood-async-test-server"; }
  const ServerProcess server(arguments, options);
  check_cap_of_10(server, 8, 20);
}

TEST_CASE("a child that may have many connections asks when it has taken its last one") {
  std::vector<std::string> arguments = {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                                        "--max-clients=4", "--max-requests-per-child=5"};
  ServerOptions options;
  SUBCASE("event loop") { options.program = "brood-event-test-server"; }
  SUBCASE("coroutines") { options.program = "brood-async-test-server"; }
  const ServerProcess server(arguments, options);
  const pid_t first = server.children().front();
  std::vector<Client> held;
  for (int i = 0; i < 5; ++i) {
    held.push_back(server.connect());
    CHECK(held.back().child() == first);
  }
  CHECK(server.shows_leaving(first));
  // It may have been woken for one more before it was told to leave.
  CHECK(eventually([&] { return server.connect().child() != first; }));
  for (auto& client : held) CHECK(client.ask("echo still") == "still");
}

TEST_CASE("the replacement is ready before its predecessor leaves") {
  ServerProcess server({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                        "--max-clients=4", "--max-requests-per-child=2"});
  unsigned fewest = UINT32_MAX;
  Watch watch(server.scoreboard(), [&](const ServiceSnapshot& service) {
    fewest = std::min(fewest, service.idle + service.busy);
  });
  CHECK(serves_until_replaced(server, 5));
  watch.stop();
  CHECK(fewest >= 1);
}

TEST_CASE("with room for one child only the cap is kept as well, and all is served") {
  ServerProcess server({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                        "--max-clients=1", "--max-requests-per-child=3"});
  CHECK(serves_until_replaced(server, 5));
}

TEST_CASE("while the parent is stopped children beyond their cap serve on") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-requests-per-child=2"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2; }));
  server.signal(SIGSTOP);
  REQUIRE(eventually([&] { return process_state(server.pid()) == 'T'; }));
  for (int i = 0; i < 30; ++i) CHECK(server.connect().ask("echo x") == "x");
  CHECK(server.children().size() == 2);
  // The scoreboard can still be read, and shows that the parent is stopped.
  const Snapshot snapshot = server.snapshot();
  CHECK(snapshot.parent_alive);
  CHECK(snapshot.parent_state == 'T');
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 30; }));
  server.signal(SIGCONT);
  // The two may have shared the thirty in any way.
  CHECK(server.reaches([](const auto& service) { return service.children_gone >= 1 && service.idle == 2; }));
}
