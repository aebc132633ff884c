// SPDX-License-Identifier: MIT
// The figures of the queue, against clients that know how long they have waited, and against the kernel.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "broodctl.hpp"
#include "models.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t measured(const ServiceSnapshot& service) {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i < wait_buckets; ++i) sum += service.waits[i];
  return sum;
}

ServiceSnapshot status_of(const ServerProcess& server) {
  Snapshot snapshot = server.snapshot();
  CHECK(read_waiting(snapshot));
  return snapshot.services.at(0);
}

}  // namespace

TEST_CASE("the time in the queue is what clients know that it was") {
  ServerProcess server(pool(1));
  constexpr auto resolution = 8ms, held = 400ms;
  // Each has its answer when the child had it for its time: the next one is accepted then.
  std::vector<Client> clients;
  std::vector<Clock::time_point> began, connected;
  for (int i = 0; i < 4; ++i) {
    began.push_back(Clock::now());
    clients.push_back(server.connect());
    connected.push_back(Clock::now());
    clients.back().send("hold 400\n");
  }
  // Between these is what the clients know. On a machine that is busy the first one may wait for the child.
  const auto in_milliseconds = [](auto time) {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(time), 0ms);
  };
  std::chrono::milliseconds least{}, most{}, longest_least{}, longest_most{};
  auto free_at = Clock::time_point();  // at the latest
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CHECK(clients[i].line() == "held");
    const auto answered = Clock::now();
    if (i == 0) free_at = answered - held;
    longest_least = in_milliseconds(connected[0] + static_cast<int>(i) * held - connected[i] - resolution);
    longest_most = in_milliseconds(free_at - began[i]) + resolution;
    least += longest_least;
    most += longest_most;
    clients[i].finish_sending();
    CHECK(clients[i].ending() == Ending::closed);
    free_at = Clock::now();
  }
  CHECK(server.reaches([](const auto& now) { return now.total.finished == 4 && measured(now) >= 3; }));
  const ServiceSnapshot service = server.service();
  CHECK(service.wait >= least);
  CHECK(service.wait <= most);
  CHECK(service.longest_wait >= longest_least);
  CHECK(service.longest_wait <= longest_most);
  CHECK(service.waits[0] + measured(service) == 4);
  CHECK(service.most_waiting >= 3);
  const CtlAnswer status = ask(server, "status");
  CHECK(status.says("\nqueue        0 waiting, at most "));
  CHECK(status.code > 0);  // wait-warning = 1s
  CHECK(status.says("brood-test-server: a connection has waited for "));
}

TEST_CASE("each connection is in one step of the histogram of waits") {
  ServerProcess server(pool(3));
  for (int i = 0; i < 20; ++i) {
    Client client = server.connect();
    CHECK(client.ask("echo x") == "x");
    client.finish_sending();
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.reaches([](const auto& now) { return now.total.finished == 20; }));
  const ServiceSnapshot service = server.service();
  CHECK(service.waits[0] + measured(service) == 20);
}

TEST_CASE("the waiting connections are those that the kernel has in the queue") {
  for (const std::string listen : {"127.0.0.1:0", "unix"}) {
    CAPTURE(listen);
    const TemporaryDirectory directory;
    const std::string path = directory / "socket";
    ServerProcess server(
        {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1", "--max-clients=1",
         "--overload-read-timeout=0", "--listen=" + (listen == "unix" ? "unix:" + path : listen)},
        {.listen = false});
    Client first = server.connect();
    CHECK(first.child() > 0);
    CHECK(status_of(server).waiting == 0);
    std::vector<Client> waiting;
    for (int i = 0; i < 5; ++i) waiting.push_back(server.connect());
    CHECK(eventually([&] { return status_of(server).waiting == 5; }));
    CHECK(status_of(server).most_waiting >= 5);
    const CtlAnswer answer = ask(server, "--json status");
    const auto queue = nlohmann::json::parse(answer.text)["services"][0]["queue"];
    CHECK(queue["waiting"] == 5);
  }
}

TEST_CASE("the history has each ending in its second, and how many were busy") {
  ServerProcess server(pool(3));
  CHECK(server.reaches([](const auto& now) { return now.idle == 3; }));
  REQUIRE(ask(server, "check").code == 0);  // the parent looks, and tells the children how many they are
  {
    auto clients = server.hold(2);
    for (Client& client : clients) {
      client.finish_sending();
      CHECK(client.ending() == Ending::closed);
    }
    server.connect().send("throw it\n");
    server.connect().close();
    server.connect().send("crash\n");
  }
  CHECK(server.reaches([](const auto& now) { return now.total.finished == 4 && now.total.aborted == 1; }));
  const ServiceSnapshot service = server.service();
  REQUIRE(service.history.size() == 600);
  SecondSnapshot all;
  for (const auto& second : service.history) {
    all.finished += second.finished;
    all.failed += second.failed;
    all.probes += second.probes;
    all.aborted += second.aborted;
    all.most_busy = std::max(all.most_busy, second.most_busy);
  }
  CHECK(all.finished == 4);
  CHECK(all.failed == 1);
  CHECK(all.probes == 1);
  CHECK(all.aborted == 1);
  CHECK(all.most_busy >= 2);
  CHECK(service.most_busy >= 2);
  CHECK(service.busy_times.size() >= 3);
}

TEST_CASE("4 of 4 crashes are critical, and a minute of a balancer's checks is OK") {
  ServerProcess server(pool(2));
  SUBCASE("crashes") {
    for (int i = 0; i < 4; ++i) {
      Client client = server.connect();
      client.send("crash\n");
      client.ending();
    }
    CHECK(server.reaches([](const auto& now) { return now.total.aborted == 4; }));
    const CtlAnswer status = ask(server, "status");
    CHECK(status.code == 2);
    CHECK(status.says(
        "brood-test-server: 4 of 4 connections failed in the last 10m (4 ended with their child"));
  }
  SUBCASE("checks") {
    for (int i = 0; i < 60; ++i) server.connect().close();
    CHECK(server.reaches([](const auto& now) { return now.total.probes == 60; }));
    const CtlAnswer status = ask(server, "status");
    CHECK(status.code == 0);
    CHECK(status.says("\nlately       0 connections in 10m, 0 failed"));
  }
}
