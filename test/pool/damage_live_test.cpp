// SPDX-License-Identifier: MIT
// A child that writes over all that it can of its service's scoreboard: the service is whole again soon after
// the child has ended, and the other service never notices.
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr unsigned most = 6;

std::vector<std::string> arguments() {
  // None leaves as a spare too many.
  std::vector<std::string> all = {"--left.listen=127.0.0.1:0", "--right.listen=127.0.0.1:0",
                                  "--max-clients=6",           "--start-servers=3",
                                  "--min-spare-servers=2",     "--max-spare-servers=6"};
  if ((::geteuid() == 0)) all.insert(all.end(), {"--left.user=nobody", "--right.user=daemon"});
  return all;
}

std::set<pid_t> pids_of(const ServiceSnapshot& service) {
  std::set<pid_t> pids;
  for (const auto& slot : service.slots)
    if (slot.pid > 0) pids.insert(slot.pid);
  return pids;
}

bool is_whole(const ServiceSnapshot& service) {
  return service.spare >= 2 && service.starting == 0 && service.leaving == 0 &&
         service.open_connections == 0 && service.children() <= most;
}

}  // namespace

TEST_CASE("a child that writes over its scoreboard" * doctest::test_suite("slow")) {
  const std::vector<std::string> patterns = {
      "zero",    "ones",     "random",          "pids",        "own-pid", "bits", "serving",
      "leaving", "detached", "lock-owner-died", "lock-waiters"};
  for (const auto& pattern : patterns) {
    CAPTURE(pattern);
    ServerProcess server(arguments(), {.program = "brood-two-test-servers", .listen = false});
    const std::string left = server.addresses().at(0), right = server.addresses().at(1);
    const auto service = [&](std::size_t index) { return server.snapshot().services.at(index); };
    REQUIRE(eventually([&] { return is_whole(service(0)) && is_whole(service(1)); }));
    const auto pids_before = pids_of(service(1));
    Load load(right, 1, "echo a", "a");
    {
      Client writer(left);
      try {
        CHECK(writer.ask("scribble " + pattern) == "scribbled");
        writer.send("exit 1\n");
      } catch (const ClientError&) {
        // The parent has seen the nonsense, and ended the child, before it answered.
      }
      writer.ending();
    }
    CHECK(eventually([&] { return is_whole(service(0)); }));
    // Each child of the service takes connections, as many as there may be at once.
    std::vector<Client> held;
    for (unsigned i = 0; i < most; ++i) {
      held.emplace_back(left);
      CHECK(held.back().ask("echo here") == "here");
    }
    held.clear();
    const auto figures = load.stop();
    CHECK(figures.failed() == 0);
    // The load may have added some.
    CHECK(std::ranges::includes(pids_of(service(1)), pids_before));
    CHECK(service(1).total.failed == 0);
    CHECK(service(1).children_failed == 0);
    CHECK(service(1).recoveries + service(1).repairs == 0);
    CHECK(service(0).recoveries + service(0).repairs > 0);
    server.signal(SIGTERM);
    CHECK(server.wait_exit() == exited(0));
  }
}
