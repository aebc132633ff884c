// SPDX-License-Identifier: MIT
// max-clients: never more children, a warning in the log, and connections that wait are served later.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "load.hpp"
#include "server_process.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("connections beyond max-clients wait and are served when a child is free") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=4",
                        "--max-clients=4", "--overload-read-timeout=0"});
  auto held = server.hold(4);
  std::vector<Client> waiting;
  for (int i = 0; i < 6; ++i) {
    waiting.push_back(server.connect());
    waiting.back().send("echo served\n");
  }
  CHECK(server.reaches([](const auto& service) { return service.busy == 4 && service.at_max_clients; }));
  CHECK(stays([&] { return server.children().size() == 4; }, 200ms));
  CHECK(server.service().total.accepted == 4);
  held.clear();
  for (auto& client : waiting) {
    CHECK(client.line() == "served");
    client.close();
  }
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 10 && !service.at_max_clients; }));
}

TEST_CASE("reaching max-clients is said once in words for an operator, and counted") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2",
                        "--max-clients=2", "--overload-read-timeout=0"});
  for (int round = 0; round < 5; ++round) {
    auto held = server.hold(2);
    Client waiting = server.connect();
    waiting.send("pid\n");
    CHECK(server.wait_for_log("max-clients = 2 is reached"));
    held.clear();
    waiting.line();
    waiting.close();
    REQUIRE(server.reaches(
        [](const auto& service) { return service.open_connections == 0 && service.idle == 2; }));
  }
  CHECK(server.count_in_log("max-clients = 2 is reached") == 1);
  CHECK(server.count_in_log("raise max-clients") == 1);
  CHECK(server.count_in_log("more connections wait (0)") == 0);
  CHECK(server.service().max_clients_reached >= 1);
  CHECK(server.service().total.accepted == 15);
}

TEST_CASE("there are never more children than max-clients, also while all of them are replaced") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=2", "--max-spare-servers=3",
                        "--max-clients=5", "--max-requests-per-child=3"});
  unsigned most = 0;
  Watch watch(server.scoreboard(),
              [&](const ServiceSnapshot& service) { most = std::max(most, service.children()); });
  Load load(server.address(), 12);
  CHECK(load.more_answers(300));
  server.signal(SIGHUP);
  CHECK(load.more_answers(300));
  const LoadFigures figures = load.stop();
  watch.stop();
  CHECK(figures.failed() == 0);
  CHECK(most <= 5);
  CHECK(watch.broken_sums() == 0);
  CHECK(server.reaches([&](const auto& service) { return service.total.finished == figures.answered; }));
}
