// SPDX-License-Identifier: MIT
// Children that fail at once must cause no storm of forks, and the service must recover.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "broodctl.hpp"
#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// Children do what the file says when they start.
struct Moody {
  explicit Moody(const std::string& order, std::vector<std::string> arguments = {}, bool wait_ready = false)
      : ordered(tell(order)), server(with(std::move(arguments)), {.wait_ready = wait_ready}) {}

  bool tell(const std::string& order) {
    write_file(place / "order", order);
    return true;
  }
  std::vector<std::string> with(std::vector<std::string> arguments) const {
    arguments.push_back("--child-start=" + (place / "order"));
    return arguments;
  }
  std::string scoreboard() const { return server.directory() / "brood-test-server.scoreboard"; }
  ServiceSnapshot service() const { return Snapshot::read(scoreboard()).services.at(0); }
  bool told_of_throttle() const { return server.wait_for_log("children fail at once"); }

  TemporaryDirectory place;
  bool ordered;
  ServerProcess server;
};

}  // namespace

TEST_CASE("children that end at once are started ever more rarely, also with exit code 0") {
  const char* order = "";
  SUBCASE("exit 0") { order = "exit 0"; }
  SUBCASE("an exception in on_child_start") { order = "throw the cache is gone"; }
  SUBCASE("a crash") { order = "crash"; }
  SUBCASE("exit 71") { order = "exit 71"; }
  Moody it(order, {"--start-servers=3", "--min-spare-servers=3"});
  REQUIRE(it.told_of_throttle());
  // Three are started at once, and replaced at once, then one after 1 s and one after 2 s. Without the
  // throttle there would be thousands.
  std::uint64_t started = 0;
  REQUIRE(it.server.wait_for_log("the next one is started in 4s"));
  CHECK(eventually([&] {
    const ServiceSnapshot service = it.service();
    started = service.children_started;
    return service.throttled_for.count() > 0;
  }));
  CHECK(started >= 5);
  CHECK(started <= 8);
  CHECK_FALSE(it.server.is_ready());
  if (std::string(order).starts_with("throw"))
    CHECK(it.server.wait_for_log("on_child_start: the cache is gone"));
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
}

TEST_CASE("a service comes back by itself when its children can start again") {
  Moody it("exit 1", {"--start-servers=3", "--min-spare-servers=3"});
  REQUIRE(it.told_of_throttle());
  it.tell("");
  it.server.wait_ready();
  // One good connection clears the throttle: the pool is full again without further delays.
  CHECK(it.server.connect().ask("echo hello") == "hello");
  CHECK(it.server.reaches(
      [](const auto& service) { return service.idle >= 3 && service.throttled_for.count() == 0; }));
}

TEST_CASE("children that serve go on while new ones can't be started") {
  Moody it("", {"--start-servers=3", "--min-spare-servers=2", "--max-requests-per-child=5"}, true);
  CHECK(it.server.connect().ask("echo hello") == "hello");
  it.tell("exit 1");
  Load load(it.server.address(), 4);
  CHECK(load.more_answers(200));
  CHECK(it.told_of_throttle());
  CHECK(load.more_answers(200));
  it.server.signal(SIGHUP);
  CHECK(load.more_answers(200));
  CHECK_FALSE(it.server.children().empty());
  it.tell("");
  CHECK(it.server.reaches(
      [](const auto& service) { return service.idle + service.busy >= 2 && service.children_gone >= 5; }));
  CHECK(load.more_answers(200));
  CHECK(load.stop().failed() == 0);
}

TEST_CASE("a child that says that its configuration can't work stops the service with exit code 78") {
  const char* order = "";
  SUBCASE("exit 78") { order = "exit 78"; }
  SUBCASE("a ConfigurationError in on_child_start") { order = "throw-configuration the table is missing"; }
  Moody it(order);
  CHECK(it.server.wait_exit() == exited(78));
  CHECK(it.server.count_in_log("configuration can't work") >= 1);
  // All its children may have failed at the same time, but not a second set of them.
  CHECK(it.server.count_in_log("exited with code 78") <= 5);
}

TEST_CASE("children that crash in their first connections do not throttle a service that works") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3"});
  CHECK(server.connect().ask("echo hello") == "hello");
  for (int i = 0; i < 10; ++i) {
    Client client = server.connect();
    client.send("crash\n");
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.reaches([](const auto& service) { return service.idle >= 3 && service.total.aborted == 10; }));
  CHECK(server.count_in_log("children fail at once") == 0);
}

TEST_CASE("children that crash in nearly every connection are no well service, however rarely that is" *
          doctest::test_suite("slow")) {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3", "--max-spare-servers=3"});
  CHECK(server.connect().ask("echo hello") == "hello");
  REQUIRE(ask(server, "status").code == 0);
  // Each was ready for more than a second: no failed start, and no reason to wait.
  for (unsigned i = 1; i <= 6; ++i) {
    REQUIRE(server.reaches([](const auto& service) {
      return service.idle == 3 && std::ranges::all_of(service.slots, [](const SlotSnapshot& slot) {
               return slot.state == SlotState::empty || slot.age > 1200ms;
             });
    }));
    Client client = server.connect();
    client.send("crash\n");
    CHECK(client.ending() == Ending::closed);
    REQUIRE(server.reaches([&](const auto& service) { return service.total.aborted == i; }));
  }
  CHECK(server.service().throttled_for.count() == 0);
  const CtlAnswer status = ask(server, "status");
  CHECK(status.code > 0);
  CHECK(status.says("children end while they serve"));
  for (int i = 0; i < 10; ++i) CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(eventually([&] { return ask(server, "status").code == 0; }));
}

TEST_CASE("a child that hangs in its start keeps nobody else from being served, and can be stopped") {
  Moody it("", {"--start-servers=2", "--min-spare-servers=2", "--graceful-timeout=500ms"}, true);
  REQUIRE(it.server.reaches([](const auto& service) { return service.idle == 2; }));
  it.tell("hang");
  auto held = it.server.hold(1);
  CHECK(it.server.reaches([](const auto& service) { return service.starting >= 1; }));
  CHECK(it.server.connect().ask("echo hello") == "hello");
  held.clear();
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
}

TEST_CASE("a crash on every connection is throttled, and the verdict says so") {
  ServerProcess server({"--start-servers=5"});
  std::atomic<bool> stopping = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back([&] {
      while (!stopping) try {
          Client client = server.connect();
          client.send("crash\n");
          client.ending();
        } catch (const ClientError&) {
        }
    });
  REQUIRE(server.wait_for_log("children fail at once"));
  CHECK(server.reaches([](const auto& service) { return service.throttled_for.count() > 0; }));
  REQUIRE(server.wait_for_log("the next one is started in 4s"));
  CHECK(server.service().children_started <= 40);
  const CtlAnswer status = ask(server, "status");
  CHECK(status.code > 0);
  CHECK(status.says("children fail at once"));
  stopping = true;
  server.signal(SIGINT);
  for (auto& client : clients) client.join();
}

TEST_CASE("idle children that are killed are there again at once") {
  ServerProcess server({"--start-servers=5"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 5; }));
  for (int round = 0; round < 5; ++round) {
    const auto children = server.children();
    for (const pid_t child : children) ::kill(child, SIGKILL);
    const std::uint64_t gone = 5 * static_cast<std::uint64_t>(round + 1);
    CHECK(server.reaches(
        [&](const auto& service) { return service.children_gone == gone && service.idle == 5; }));
  }
  CHECK(server.count_in_log("children fail at once") == 0);
}

TEST_CASE("after an outage that is mended all missing children start, also if clients stay connected") {
  Moody it("", {"--start-servers=4", "--min-spare-servers=4"}, true);
  CHECK(it.server.connect().ask("echo hello") == "hello");
  REQUIRE(it.server.reaches([](const auto& service) { return service.idle >= 4 && service.starting == 0; }));
  it.tell("exit 1");
  const auto held = it.server.hold(4);
  REQUIRE(it.server.wait_for_log("the next one is started in 4s"));
  it.tell("");
  // One child every 4 seconds would take longer than anyone here waits.
  std::vector<Client> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(it.server.connect());
    waiting.back().send("echo late\n");
  }
  for (auto& client : waiting) CHECK(client.line() == "late");  // and none is closed
  CHECK(it.server.reaches([](const auto& service) {
    return service.busy == 24 && service.idle >= 4 && service.throttled_for.count() == 0;
  }));
  CHECK(it.server.count_in_log("the next one is started in 8s") == 0);
}

TEST_CASE("a child that is killed before its first connection does not keep the pool from growing") {
  ServerProcess server;
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 5; }));
  ::kill(server.children().front(), SIGKILL);
  REQUIRE(
      server.reaches([](const auto& service) { return service.children_gone == 1 && service.idle >= 5; }));
  // The connections stay open: none is finished, which would clear the throttle.
  const auto held = server.hold(20);
  CHECK(server.reaches([](const auto& service) { return service.busy == 20 && service.idle >= 5; }));
}
