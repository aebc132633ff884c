// SPDX-License-Identifier: MIT
// this_child: a child leaves, or hands its slot back and finishes without it. In every child model.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "models.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool adds_up(const ServiceSnapshot& service) {
  return service.total.accepted == service.total.finished + service.total.aborted + service.open_connections;
}

bool has_slot(const ServiceSnapshot& service, pid_t child) {
  return std::ranges::any_of(service.slots, [child](const auto& slot) { return slot.pid == child; });
}

// A detached child, and its open connection.
struct OneDetached {
  explicit OneDetached(std::vector<std::string> arguments = {}, const ServerOptions& options = {})
      : server(std::move(arguments), options), client(server.connect()), child(client.child()) {
    REQUIRE(client.ask("detach") == "detached");
    REQUIRE(server.reaches([](const auto& service) { return service.detached == 1; }));
  }
  ServerProcess server;
  Client client;
  pid_t child;
};

}  // namespace

TEST_CASE("a child that stops itself finishes its open connections, fails no client and is replaced") {
  std::vector<std::string> arguments{"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=2"};
  const ServerOptions options = model(arguments);
  ServerProcess server(arguments, options);
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2; }));
  Client client = server.connect();
  const pid_t child = client.child();
  CHECK(client.ask("stop") == "stopping");
  CHECK(client.ask("echo still here") == "still here");
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
  CHECK(eventually([child] { return !is_alive(child); }));
  CHECK(server.reaches([child](const auto& service) {
    return service.children_gone == 1 && service.idle == 2 && !has_slot(service, child);
  }));
  const ServiceSnapshot service = server.service();
  CHECK(service.children_failed == 0);
  CHECK(service.throttled_for.count() == 0);
  CHECK(service.total.finished == 1);
  CHECK(adds_up(service));
  CHECK(server.count_in_log("exited with code") == 0);
  CHECK(server.count_in_log(hears(child)) == 1);
}

TEST_CASE("broodctl sees why a child leaves that stopped itself") {
  ServerProcess server({"--child-leaving=hang"});
  Client client = server.connect();
  const pid_t child = client.child();
  CHECK(client.ask("stop") == "stopping");
  client.close();
  CHECK(server.reaches([child](const auto& service) {
    return std::ranges::any_of(service.slots, [child](const auto& slot) {
      return slot.pid == child && slot.state == SlotState::leaving && slot.reason == Reason::own_stop;
    });
  }));
}

TEST_CASE("threads that wait for connections hear at once that one of them stops the child") {
  ServerProcess server({"--threads-per-child=4", "--start-servers=1", "--min-spare-servers=1"},
                       {.program = "brood-thread-test-server"});
  Client first = server.connect(), second = server.connect();
  const pid_t child = first.child();
  CHECK(second.child() == child);
  CHECK(first.ask("stop") == "stopping");
  // Both handlers still run: the hook comes from one that waited, and a new child takes what comes.
  CHECK(server.wait_for_log(hears(child)));
  CHECK(server.connect().child() != child);
  CHECK(second.ask("echo yes") == "yes");
  first.close();
  second.close();
  CHECK(eventually([child] { return !is_alive(child); }));
  CHECK(server.count_in_log(hears(child)) == 1);
}

TEST_CASE("a child that stops itself before its first connection dies at once for the throttle") {
  const TemporaryDirectory place;
  write_file(place / "order", "stop");
  ServerProcess server({"--child-start=" + (place / "order")}, {.wait_ready = false});
  CHECK(server.wait_for_log("children fail at once"));
  write_file(place / "order", "");
  server.wait_ready();
  CHECK(server.connect().ask("echo back") == "back");
}

TEST_CASE("a child can't hand back a slot before it serves") {
  const TemporaryDirectory place;
  write_file(place / "order", "detach");
  ServerProcess server({"--child-start=" + (place / "order")}, {.wait_ready = false});
  CHECK(server.wait_for_log("children fail at once"));
  CHECK(server.count_in_log("detached too early") == 0);
}

TEST_CASE("a detached child finishes its connection while another has its slot") {
  std::vector<std::string> arguments{"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1"};
  const ServerOptions options = model(arguments);
  const bool loop =
      options.program == "brood-event-test-server" || options.program == "brood-async-test-server";
  if (!loop) arguments.emplace_back("--connection-timeout=1s");  // a loop ends such a connection itself
  ServerProcess server(arguments, options);
  Client client = server.connect();
  const pid_t child = client.child();
  REQUIRE(client.ask("detach") == "detached");
  REQUIRE(server.reaches([child](const auto& service) {
    return service.detached == 1 && service.idle == 1 && !has_slot(service, child);
  }));
  CHECK(server.service().open_connections == 0);
  CHECK(server.service().total.finished == 1);
  // Its later work is in no figure, and it accepts no connection.
  for (int i = 0; i < 20; ++i) CHECK(server.connect().child() != child);
  CHECK(client.ask("echo still here") == "still here");
  if (!loop) CHECK(stays([&] { return is_alive(child); }, 2s));
  CHECK(client.ask("echo and here") == "and here");
  client.close();
  CHECK(eventually([child] { return !is_alive(child); }));
  CHECK(server.reaches([](const auto& service) {
    return service.detached == 0 && service.total.accepted == 21 && service.total.finished == 21 &&
           service.children_started == service.children_gone + service.children();
  }));
  const ServiceSnapshot service = server.service();
  CHECK(adds_up(service));
  CHECK(service.children_failed == 0);
  CHECK(server.count_in_log(hears(child)) == 1);
  CHECK(server.count_in_log("corrected") == 0);
}

TEST_CASE("all open connections of a child go on when one of its handlers detaches it") {
  ServerProcess server({"--threads-per-child=4", "--start-servers=1", "--min-spare-servers=1"},
                       {.program = "brood-thread-test-server"});
  Client first = server.connect(), second = server.connect();
  const pid_t child = first.child();
  REQUIRE(second.child() == child);
  REQUIRE(first.ask("detach") == "detached");
  REQUIRE(server.reaches([](const auto& service) { return service.detached == 1; }));
  CHECK(server.service().total.finished == 2);
  first.close();
  CHECK(second.ask("note late") == "noted");
  CHECK(second.ask("detach") == "detached");  // once more changes nothing
  CHECK(second.child() == child);
  second.close();
  CHECK(server.reaches([](const auto& service) { return service.detached == 0; }));
  CHECK(adds_up(server.service()));
}

TEST_CASE("detached children count against max-clients") {
  ServerProcess server(
      {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=2"});
  Client first = server.connect();
  REQUIRE(first.ask("detach") == "detached");
  // Nobody waits at the limit yet: there is a spare for the second one.
  REQUIRE(server.reaches([](const auto& service) { return service.detached == 1 && service.idle == 1; }));
  Client second = server.connect();
  REQUIRE(second.ask("detach") == "detached");
  REQUIRE(server.reaches([](const auto& service) { return service.detached == 2; }));
  CHECK(stays([&] { return server.children().size() == 2; }, 300ms));
  Client third = server.connect();
  third.send("pid\n");
  CHECK(server.reaches([](const auto& service) { return service.max_clients_reached == 1; }));
  const pid_t gone = first.child();
  first.close();
  const auto served_by = static_cast<pid_t>(std::stol(third.line()));
  CHECK(served_by != gone);
  CHECK(server.children().size() <= 2);
}

TEST_CASE("a detached child that takes too long is ended") {
  ServerProcess server({"--detach-timeout=200ms"});
  Client client = server.connect();
  std::string signal = "6";
  SUBCASE("by SIGABRT") {}
  SUBCASE("by SIGKILL, where that is not enough") {
    CHECK(client.ask("deaf") == "deaf");
    signal = "9";
  }
  client.send("detach\n");
  CHECK(server.wait_for_log("beyond detach-timeout; it gets SIGABRT"));
  CHECK(server.wait_for_log("was killed by signal " + signal));
  CHECK(server.reaches(
      [](const auto& service) { return service.detached == 0 && service.children_failed == 1; }));
  CHECK(adds_up(server.service()));
  CHECK(server.connect().ask("echo on") == "on");
}

TEST_CASE("a detached child that crashes is a failure, and no connection is counted twice") {
  OneDetached it;
  it.client.send("crash\n");
  CHECK(it.client.ending() == Ending::closed);
  CHECK(it.server.wait_for_log("detached child " + std::to_string(it.child) + " was killed by signal 6"));
  CHECK(it.server.reaches(
      [](const auto& service) { return service.detached == 0 && service.children_failed == 1; }));
  CHECK(it.server.service().total.aborted == 0);
  CHECK(it.server.count_in_log("children fail at once") == 0);
}

TEST_CASE("a stop waits for detached children, for graceful-timeout at most") {
  SUBCASE("it ends in time") {
    OneDetached it;
    it.server.signal(SIGTERM);
    CHECK(it.server.wait_for_log("stopping"));
    CHECK(it.client.ask("echo still here") == "still here");
    CHECK(it.server.running());
    it.client.close();
    CHECK(it.server.wait_exit() == exited(0));
    CHECK(it.server.count_in_log("it is killed") == 0);
  }
  SUBCASE("it doesn't") {
    OneDetached it({"--graceful-timeout=300ms"});
    it.server.signal(SIGTERM);
    CHECK(it.server.wait_exit() == exited(0));
    CHECK(it.server.count_in_log(", detached: graceful-timeout is over; it is killed") == 1);
    CHECK_FALSE(is_alive(it.child));
  }
  SUBCASE("at once") {
    OneDetached it;
    it.server.signal(SIGINT);
    CHECK(it.server.wait_exit() == exited(0));
    CHECK_FALSE(is_alive(it.child));
  }
}

TEST_CASE("a reload leaves detached children alone") {
  OneDetached it;
  it.server.signal(SIGHUP);
  CHECK(it.server.reaches([](const auto& service) {
    return service.generation == 2 && service.leaving == 0 &&
           std::ranges::all_of(service.slots, [](const auto& slot) {
             return slot.state == SlotState::empty || slot.generation == 2;
           });
  }));
  CHECK(it.server.service().detached == 1);
  CHECK(it.client.ask("echo still here") == "still here");
}

TEST_CASE("a detached child whose parent is gone ends with its connection") {
  OneDetached it;
  it.server.signal(SIGKILL);
  CHECK(it.server.wait_exit() == killed_by(SIGKILL));
  CHECK(it.client.ask("echo still here") == "still here");
  it.client.close();
  CHECK(eventually([&] { return !is_alive(it.child); }));
}

TEST_CASE("a detached child whose parent is gone ends when its time is over") {
  OneDetached it({"--detach-timeout=3s"});
  it.server.signal(SIGKILL);
  CHECK(it.server.wait_exit() == killed_by(SIGKILL));
  CHECK(eventually([&] { return !is_alive(it.child); }));
}

TEST_CASE("a detached child is not in the way of a server that takes the address next") {
  OneDetached it;
  const std::string address = it.server.address();
  it.server.signal(SIGKILL);
  REQUIRE(it.server.wait_exit() == killed_by(SIGKILL));
  ServerProcess next({"--listen=" + address}, {.listen = false});
  CHECK(next.connect().ask("echo new") == "new");
  CHECK(it.client.ask("echo old") == "old");
}
