// SPDX-License-Identifier: MIT
// Before it stops, a server serves on for a time and says that it is not ready.
#include <doctest/doctest.h>

#include <csignal>

#include "broodctl.hpp"
#include "load.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool drains(const ServerProcess& server) {
  return eventually([&] { return server.snapshot().draining; });
}

}  // namespace

TEST_CASE("after SIGTERM a server with drain-delay is not ready and serves on") {
  ServerProcess server({"--drain-delay=10m"});
  CHECK(ask(server, "status --ready").text == "ready\n");
  CHECK(ask(server, "status --ready").code == 0);
  Load load(server.address(), 4);
  CHECK(load.more_answers(50));
  server.signal(SIGTERM);
  REQUIRE(drains(server));
  const CtlAnswer ready = ask(server, "status --ready");
  CHECK(ready.code == 1);
  CHECK(ready.says("not ready: the server is draining"));
  const CtlAnswer status = ask(server, "status");
  CHECK(status.code == 1);
  CHECK(status.says("draining"));
  CHECK(ask(server, "status --json").says("\"draining\": true"));
  CHECK(load.more_answers(50));
  CHECK(load.stop().failed() == 0);
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("when drain-delay is over the server stops") {
  ServerProcess server({"--drain-delay=500ms"});
  const auto before = std::chrono::steady_clock::now();
  SUBCASE("by the signal") { server.signal(SIGTERM); }
  SUBCASE("by the order") { CHECK(ask(server, "stop").code == 0); }
  CHECK(server.wait_exit() == exited(0));
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(500));
  CHECK(server.count_in_log("draining: ") == 1);
}

TEST_CASE("another SIGTERM ends the drain delay and a third the stop") {
  ServerProcess server({"--drain-delay=10m"});
  Client client = server.connect();
  CHECK(client.ask("echo hello") == "hello");
  server.signal(SIGTERM);
  REQUIRE(drains(server));
  CHECK(Client(server.address()).ask("echo new") == "new");
  server.signal(SIGTERM);
  CHECK(server.wait_for_log("stopping: open connections are finished"));
  CHECK(server.snapshot().stopping);
  CHECK_FALSE(server.snapshot().draining);
  CHECK(client.ask("echo open") == "open");
  SUBCASE("the connection ends") { client.close(); }
  SUBCASE("it does not") { server.signal(SIGTERM); }
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("while a server drains it obeys no order but to stop") {
  ServerProcess server({"--drain-delay=10m"});
  BroodctlProcess stop(to(server, "stop"));
  REQUIRE(drains(server));
  for (const char* order : {"reload", "upgrade", "check"}) {
    CAPTURE(order);
    CHECK(ask(server, order).code == 75);
  }
  server.signal(SIGHUP);
  server.signal(SIGUSR2);
  CHECK(server.wait_for_log("upgrade refused: the server stops"));
  BroodctlProcess again(to(server, "stop"));
  CHECK(eventually([&] { return server.count_in_log(" asks: stop") == 2; }));
  CHECK(server.snapshot().draining);
  CHECK(server.connect().ask("echo on") == "on");
  CHECK(server.service().generation == 1);
  CHECK(ask(server, "stop --now").code == 0);
  CHECK(stop.wait().code == 0);
  CHECK(again.wait().code == 0);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("while a server drains its children are replaced") {
  ServerProcess server({"--drain-delay=10m", "--start-servers=2", "--min-spare-servers=2"});
  server.signal(SIGTERM);
  REQUIRE(drains(server));
  const pid_t child = server.connect().child();
  ::kill(child, SIGKILL);
  CHECK(
      server.reaches([](const auto& service) { return service.children_failed == 1 && service.idle >= 2; }));
  CHECK(server.connect().ask("echo on") == "on");
  server.signal(SIGINT);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a reload applies drain-delay") {
  const TemporaryDirectory place;
  write_file(place / "conf", "");
  ServerProcess server({"--config=" + (place / "conf")});
  write_file(place / "conf", "drain-delay = 10m\n");
  server.signal(SIGHUP);
  CHECK(server.reaches(settled_at(2)));
  server.signal(SIGTERM);
  CHECK(drains(server));
}
