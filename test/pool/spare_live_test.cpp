// SPDX-License-Identifier: MIT
// The number of children follows the load: it grows at once, shrinks slowly, and stays within its limits.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// The lowest and highest figures that were seen. Read them after the watch has stopped.
struct Extremes {
  unsigned fewest_spares = UINT32_MAX, fewest_children = UINT32_MAX, most_children = 0;

  void take(const ServiceSnapshot& service) {
    fewest_spares = std::min(fewest_spares, service.idle);
    fewest_children = std::min(fewest_children, service.children());
    most_children = std::max(most_children, service.children());
  }
};

}  // namespace

TEST_CASE("held connections are replaced by new spares at once") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4", "--max-clients=64"});
  const auto held = server.hold(10);
  CHECK(server.reaches(
      [](const auto& service) { return service.busy == 10 && service.idle >= 2 && service.idle <= 4; }));
  CHECK(server.service().total.accepted == 10);
}

TEST_CASE("each held connection is in the hand of another child") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=2", "--max-clients=64"});
  std::vector<Client> clients;
  std::set<pid_t> children;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(server.connect());
    children.insert(clients.back().child());
  }
  CHECK(children.size() == 12);
}

TEST_CASE("a backlog that is larger than the pool is answered by a pool that has grown by all of it") {
  ServerProcess server(
      {"--start-servers=3", "--min-spare-servers=3", "--max-spare-servers=5", "--max-clients=128"});
  std::vector<Client> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(server.connect());
    clients.back().send("pid\n");
  }
  // No client closes its connection: each answer needs another child.
  std::set<std::string> children;
  for (auto& client : clients) children.insert(client.line());
  CHECK(children.size() == 60);
  CHECK(server.reaches([](const auto& service) { return service.busy == 60 && service.idle >= 3; }));
}

TEST_CASE("a surplus leaves down to max-spare-servers, and never are there fewer than min-spare-servers") {
  ServerProcess server(
      {"--start-servers=4", "--min-spare-servers=4", "--max-spare-servers=6", "--max-clients=64"});
  auto held = server.hold(30);
  REQUIRE(server.reaches([](const auto& service) { return service.busy == 30 && service.idle >= 4; }));
  for (auto& client : held) client.close();
  REQUIRE(server.reaches(
      [](const auto& service) { return service.open_connections == 0 && service.idle >= 30; }));

  Extremes seen;
  Watch watch(server.scoreboard(), [&seen](const ServiceSnapshot& service) { seen.take(service); });
  CHECK(server.reaches([](const auto& service) { return service.children() <= 6; }));
  // And it stays there.
  CHECK(stays([&] { return server.service().idle >= 4; }, 1500ms));
  watch.stop();
  CHECK(seen.fewest_spares >= 4);
  CHECK(watch.broken_sums() == 0);
  const ServiceSnapshot service = server.service();
  CHECK(service.idle == 6);
  CHECK(service.total.accepted == 30);
  CHECK(service.total.finished == 30);
  CHECK(service.total.aborted == 0);
  CHECK(service.children_failed == 0);
  CHECK(service.children_started == service.children_gone + service.children());
  CHECK(server.children().size() == 6);
}

TEST_CASE("a surplus that is used again in time is kept") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=3", "--max-clients=64"});
  for (int round = 0; round < 5; ++round) {
    const auto held = server.hold(12);
    CHECK(held.size() == 12);
  }
  CHECK(server.service().children_gone <= 12);
}

TEST_CASE("limits hold under a load that comes and goes, and no connection is lost") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4", "--max-clients=12"});
  Extremes seen;
  Watch watch(server.scoreboard(), [&seen](const ServiceSnapshot& service) { seen.take(service); });
  std::uint64_t answered = 0;
  for (const unsigned clients : {1U, 20U, 3U, 30U}) {
    Load load(server.address(), clients, "hold 2", "held");
    CHECK(load.more_answers(150));
    const LoadFigures figures = load.stop();
    CHECK(figures.failed() == 0);
    answered += figures.answered;
  }
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 0 && service.children() <= 4; }));
  watch.stop();
  CHECK(seen.most_children <= 12);
  CHECK(watch.broken_sums() == 0);
  const FiguresSnapshot total = server.service().total;
  CHECK(total.accepted == answered);
  CHECK(total.finished == answered);
}

TEST_CASE("while a handler holds up the loop of a child, others take what waits") {
  ServerProcess server({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=3",
                        "--max-clients=3", "--slow-timeout=500ms"},
                       {.program = "brood-event-test-server"});
  // The parent looks when each of them has been slow.
  std::vector<Client> hang;
  for (std::size_t i = 1; i <= 2; ++i) {
    hang.push_back(server.connect());
    hang.back().send("spin\n");
    CHECK(server.reaches([&](const auto& service) { return service.total.accepted == 2 * i - 1; }));
    CHECK(server.connect().ask("echo hello") == "hello");
  }
  CHECK(server.service().children_started == 3);
}

TEST_CASE("an idle server does not wake up") {
  ServerProcess server({"--start-servers=5"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 5; }));
  const auto switches = [](pid_t pid) {
    return std::stoul(status_of(pid, "voluntary_ctxt_switches")) +
           std::stoul(status_of(pid, "nonvoluntary_ctxt_switches"));
  };
  std::vector<pid_t> all = server.children();
  all.push_back(server.pid());
  const auto sum = [&] {
    unsigned long switched = 0;
    for (const pid_t pid : all) switched += switches(pid);
    return switched;
  };
  // The activity of the start ends; then nothing happens.
  CHECK(eventually([&] {
    const unsigned long before = sum();
    return stays([&] { return sum() == before; }, 1500ms);
  }));
}
