// SPDX-License-Identifier: MIT
// broodctl simulate: against a real server with the same load, and as a program. How long connections waited
// is compared by brood-bench simulate: here a busy machine would decide it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "broodctl.hpp"
#include "replay.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

using Clients = std::vector<ReplayedClient>;

// So many at equal distances.
void add(Clients& to, unsigned clients, std::chrono::milliseconds from, std::chrono::milliseconds until,
         std::chrono::milliseconds held) {
  for (unsigned i = 0; i < clients; ++i) to.push_back({from + i * (until - from) / clients, held});
}

struct Compared {
  unsigned live_most = 0, live_last = 0;
  unsigned simulated_most = 0, simulated_last = 0;
};

// `settled`: of the live server, when all clients have their answers.
Compared compare(const std::vector<std::string>& settings, const Clients& clients,
                 std::chrono::milliseconds length, unsigned settled) {
  Compared result;
  const TemporaryDirectory directory;
  ServerProcess server(settings);
  const Looks looks{50ms, length, [&](std::chrono::milliseconds /*at*/) {
                      result.live_most = std::max(result.live_most, server.service().children());
                    }};
  const Replayed replayed = replay(server.address(), clients, looks);
  CHECK(replayed.failed == 0);
  CHECK(replayed.answers.size() == clients.size());
  CHECK(eventually([&] {
    result.live_last = server.service().children();
    return result.live_last == settled;
  }));

  std::ofstream(directory / "load") << as_arrivals(replayed, 0ms) << "3600 0\n";
  std::string options = "simulate --json --step=1m --arrivals=" + (directory / "load");
  for (const auto& setting : settings) options += ' ' + setting;
  const CtlAnswer answer = broodctl(options);
  CAPTURE(answer.text);
  REQUIRE(answer.code == 0);
  const auto json = nlohmann::json::parse(answer.text);
  result.simulated_most = json["most_children"];
  result.simulated_last = json["steps"].back()["children"];
  return result;
}

// The number at most follows from what is busy at once, which a busy machine changes.
void check_most(const Compared& result) {
  CAPTURE(result.live_most);
  CAPTURE(result.simulated_most);
  CHECK(result.live_most <= result.simulated_most + result.simulated_most / 2 + 2);
  CHECK(result.simulated_most <= result.live_most + result.live_most / 2 + 2);
}

const std::vector<std::string> settings = {"--start-servers=3", "--min-spare-servers=2",
                                           "--max-spare-servers=4", "--max-clients=24"};

}  // namespace

TEST_CASE("simulate: a spike has as many children as that of a live server, and leaves as many") {
  Clients clients;
  add(clients, 30, 100ms, 101ms, 700ms);
  const Compared result = compare(settings, clients, 1500ms, 4);
  CHECK(result.live_most == 24);
  CHECK(result.simulated_most == 24);
  CHECK(result.simulated_last == result.live_last);
}

TEST_CASE("simulate: a steady load has about as many children as live") {
  Clients clients;
  add(clients, 150, 100ms, 3100ms, 160ms);
  check_most(compare({"--start-servers=3", "--min-spare-servers=2", "--max-spare-servers=100",
                      "--max-clients=24", "--idle-timeout=1s"},
                     clients, 3s, 2));
}

TEST_CASE("simulate: a pool shrinks to the same number as live, under light load") {
  Clients clients;
  add(clients, 12, 100ms, 101ms, 600ms);
  add(clients, 20, 1s, 4s, 10ms);
  const Compared result = compare(settings, clients, 4s, 4);
  check_most(result);
  CHECK(result.simulated_last == result.live_last);
}

TEST_CASE("simulate: the load of a live service, with other settings") {
  ServerProcess server;
  CHECK(ask(server, "simulate").says("at least 100 connections of the last ten minutes are needed"));
  for (int i = 0; i < 120; ++i) server.connect().child();
  CtlAnswer answer;
  // What the children have done is in the history when the next second has begun.
  CHECK(eventually([&] {
    server.connect().child();
    answer = ask(server, "simulate --max-clients=7 --max-spare-servers=6");
    return answer.code == 0;
  }));
  CHECK(answer.says("min-spare-servers 5, max-spare-servers 6"));
  CHECK(answer.says("memory       "));
  CHECK(ask(server, "simulate nobody").code == 64);
  CHECK(ask(server, "simulate --max-clients=4").says("min-spare-servers = 5 exceeds max-clients = 4"));
}

TEST_CASE("simulate: a file of settings, a chart, and wrong options") {
  const TemporaryDirectory directory;
  const std::string file = directory / "echo.conf", image = directory / "chart.svg";
  std::ofstream(file) << "max-clients = 12\ndocument-root = /srv\nlog = /no/such/file\n";
  const std::string load = "simulate --load='100/s for 3s' --service-time=50ms --config=" + file;
  const CtlAnswer answer = broodctl(load + " --max-spare-servers=8 --svg=" + image);
  CHECK(answer.code == 0);
  CHECK(answer.says("echo.conf:2: unknown setting 'document-root'; it is passed over"));
  CHECK(answer.says("max-clients 12\n             min-spare-servers 5, max-spare-servers 8\n"));
  CHECK(read_file(image).find("</svg>") != std::string::npos);
  std::ofstream(file) << "max-clients = 3\nthreads-per-child = 4\ncommand-gets = listeners\n";
  const CtlAnswer wrong = broodctl(load);
  CHECK(wrong.code == 64);
  for (const char* part : {"echo.conf:1: start-servers = 5 exceeds max-clients = 3",
                           "threads-per-child = 4: ", "command-gets = listeners: "})
    CHECK_MESSAGE(wrong.says(part), wrong.text);
  for (const char* options :
       {"--load='1/s for 1s'", "--load='1/s' --service-time=1s", "--load='1/s for 0' --service-time=1s",
        "--load='1/s for 1s' --arrivals=x", "--load='1/s for 1s' --service-time=1s web",
        "--arrivals=/no/such/file", "--load='1/s for 1s' --service-time=5",
        "--load='1/s for 1h' --service-time=1s --step=1ms",
        "--load='1/s for 1s' --service-time=1s --wait=1%"})
    CHECK_MESSAGE(broodctl(std::string("simulate ") + options).code == 64, options);
  CHECK(broodctl(load + " --config=" + (directory / "none")).code == 64);
  CHECK(broodctl("simulate --load='1/s for 1s' --service-time=1s --svg=/no/such/directory/file").code == 74);
}
