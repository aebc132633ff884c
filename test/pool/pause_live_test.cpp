// SPDX-License-Identifier: MIT
// Time in which the parent did not run does not count against children.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

enum class Stops { parent, all };

void stop_for(const ServerProcess& server, Stops which, std::chrono::milliseconds time) {
  const auto send = [&](int signal) {
    which == Stops::all ? server.signal_group(signal) : server.signal(signal);
  };
  send(SIGSTOP);
  REQUIRE(eventually([&] { return process_state(server.pid()) == 'T'; }));
  std::this_thread::sleep_for(time);
  send(SIGCONT);
}

// A server with one child, which takes its time to leave. Returns when it has begun to.
struct Leaving {
  explicit Leaving(const std::string& how, const std::string& timeout)
      : server({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                "--child-leaving=" + how, "--leave-timeout=" + timeout}) {
    REQUIRE(server.reaches([](const auto& service) { return service.idle == 1; }));
    child = server.children().front();
    server.signal(SIGHUP);
    REQUIRE(server.wait_for_log("child " + std::to_string(child) + " hears that it leaves"));
  }
  bool leaves_in_time() const {
    CHECK(server.reaches([](const auto& service) { return service.children_gone == 1; }));
    return server.service().children_failed == 0 && server.count_in_log("SIGABRT") == 0;
  }

  ServerProcess server;
  pid_t child = 0;
};

}  // namespace

// Its time to leave would be over in the pause. It needs 1 of the 4 seconds that it has again: the rest is
// for a busy machine.
TEST_CASE("after a pause of the parent alone a child has its time again") {
  const Leaving it("slow 6000", "4s");
  stop_for(it.server, Stops::parent, 5s);
  CHECK(it.leaves_in_time());
}

TEST_CASE("after a pause of all processes a child has its time again") {
  const Leaving it("slow 6000", "4s");
  stop_for(it.server, Stops::all, 5s);
  CHECK(it.leaves_in_time());
}

TEST_CASE("a pause that ends before the parent was to wake is noticed by SIGCONT") {
  const Leaving it("slow 7000", "6s");
  stop_for(it.server, Stops::all, 4s);
  CHECK(it.leaves_in_time());
}

TEST_CASE("a child that hangs is found after a pause as well") {
  const Leaving it("hang", "1s");
  stop_for(it.server, Stops::parent, 2s);
  CHECK(it.server.wait_for_log("beyond leave-timeout; it gets SIGABRT"));
  CHECK(eventually([&] { return !is_alive(it.child); }));
}

// 5 seconds after connection-timeout the parent ends the child, if that has not ended the connection itself.
TEST_CASE("after a pause of all processes a child with an open connection has its time again") {
  ServerProcess server({"--start-servers=1", "--connection-timeout=1s"});
  Client client = server.connect();
  client.send("note holds\nhold 9000\n");
  REQUIRE(server.reaches([](const auto& service) {
    return std::ranges::any_of(service.slots, [](const auto& slot) { return slot.note == "holds"; });
  }));
  stop_for(server, Stops::all, 7s);
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  const ServiceSnapshot service = server.service();
  CHECK(service.total.finished == 1);
  CHECK(service.children_failed == 0);
}

TEST_CASE("a pause while the server stops does not count for graceful-timeout") {
  ServerProcess server({"--start-servers=1", "--graceful-timeout=4s"});
  Client client = server.connect();
  CHECK(client.ask("echo x") == "x");
  server.signal(SIGTERM);
  REQUIRE(server.reaches([](const auto& service) { return service.leaving > 0; }));
  stop_for(server, Stops::all, 5s);
  CHECK(client.ask("hold 300") == "held");
  client.close();
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("is killed") == 0);
}
