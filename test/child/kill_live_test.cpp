// SPDX-License-Identifier: MIT
// SIGKILL at any time costs the open connections of the killed process, each accounted for, and nothing
// else.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// One answered connection for each child, so that none counts as having failed at once.
void prove(const ServerProcess& server, unsigned children) {
  server.hold(children).clear();
  REQUIRE(server.reaches([&](const auto& service) {
    return service.total.finished >= children && service.open_connections == 0;
  }));
}

}  // namespace

TEST_CASE("an idle child that is killed is replaced, and nothing is aborted") {
  ServerProcess server({"--start-servers=5", "--min-spare-servers=5", "--max-spare-servers=10"});
  prove(server, 5);
  REQUIRE(server.reaches([](const auto& service) { return service.idle >= 5 && service.starting == 0; }));
  const auto before = server.service();
  const auto victim = std::find_if(before.slots.begin(), before.slots.end(), [](const auto& slot) {
    return slot.state == SlotState::idle && slot.figures.accepted > 0;
  });
  REQUIRE(victim != before.slots.end());
  ::kill(victim->pid, SIGKILL);
  CHECK(server.wait_for_log("child " + std::to_string(victim->pid) + " was killed by signal 9"));
  CHECK(server.reaches([&](const auto& service) { return service.idle >= 5 && service.children_gone >= 1; }));
  const auto after = server.service();
  CHECK(after.total.aborted == 0);
  CHECK(after.total.accepted == before.total.accepted);
  CHECK(after.total.finished == before.total.finished);
  CHECK(after.children_failed == 1);
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE(
    "of a busy child that is killed the client sees the end, and the connection is counted as aborted") {
  ServerProcess server;
  Client client = server.connect();
  client.ask("note GET /fatal");
  const pid_t child = client.child();
  ::kill(child, SIGKILL);
  CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) { return service.total.aborted == 1 && service.idle >= 5; }));
  const auto service = server.service();
  CHECK(service.total.accepted == 1);
  CHECK(service.total.finished == 0);
  CHECK(service.open_connections == 0);
  CHECK(service.children_failed == 1);
  CHECK(server.count_in_log("while serving 127.0.0.1:") == 1);
  CHECK(server.count_in_log("'GET /fatal'") == 1);
}

TEST_CASE("a handler that crashes costs its connection, and no other") {
  ServerProcess server;
  auto held = server.hold(3);
  for (const char* end : {"crash", "exit 3", "raise 11", "exit 0"}) {
    CAPTURE(end);
    Client client = server.connect();
    client.send(std::string(end) + "\n");
    CHECK(client.ending() == Ending::closed);
  }
  for (auto& client : held) CHECK(client.ask("echo on") == "on");
  CHECK(server.reaches([](const auto& service) { return service.total.aborted == 4 && service.idle >= 5; }));
  CHECK(server.service().total.accepted == 7);
  CHECK(server.service().open_connections == 3);
}

TEST_CASE("all children killed at once are replaced, and the service goes on") {
  ServerProcess server({"--start-servers=8", "--min-spare-servers=4", "--max-spare-servers=16"});
  auto held = server.hold(8);
  REQUIRE(server.reaches([](const auto& service) { return service.busy == 8 && service.idle >= 4; }));
  const auto children = server.children();
  for (const pid_t child : children) ::kill(child, SIGKILL);
  for (auto& client : held) CHECK(client.ending() == Ending::closed);
  // One that dies in accept() may take a connection with it.
  REQUIRE(eventually([&] { return std::none_of(children.begin(), children.end(), is_alive); }));
  CHECK(server.connect().ask("echo again") == "again");
  CHECK(server.reaches([](const auto& service) {
    return service.idle >= 4 && service.total.aborted == 8 && service.total.finished == 1 &&
           service.children_started == service.children_gone + service.children();
  }));
  CHECK(server.service().total.accepted == 9);
}

TEST_CASE(
    "random children killed under load cost only their open connections, and all of them are accounted for") {
  ServerProcess server(
      {"--start-servers=6", "--min-spare-servers=4", "--max-spare-servers=10", "--max-clients=32"});
  Watch watch(server.scoreboard(), [](const ServiceSnapshot&) {});
  std::uint64_t kills = 0;
  LoadFigures figures;
  {
    Load load(server.address(), 8);
    std::mt19937 random(1);
    for (; kills < 30; ++kills) {
      CHECK(load.more_answers(20));
      const auto children = server.children();
      if (!children.empty()) ::kill(children[random() % children.size()], SIGKILL);
    }
    CHECK(load.more_answers(50));
    figures = load.stop();
  }
  watch.stop();
  CHECK(watch.broken_sums() == 0);
  CHECK(figures.refused == 0);
  CHECK(figures.timed_out == 0);
  CHECK(figures.other == 0);
  CHECK(figures.lost() <= kills);
  CHECK(server.reaches([&](const auto& service) {
    return service.open_connections == 0 && service.idle >= 4 && service.idle <= 10 &&
           service.starting == 0 && service.leaving == 0 &&
           service.children_started == service.children_gone + service.children() &&
           server.children().size() == service.children();
  }));
  const ServiceSnapshot service = server.service();
  CHECK(service.total.accepted == service.total.finished + service.total.aborted);
  // Each connection that a client made was accepted once. An aborted one may have been answered already, not
  // yet closed.
  CHECK(service.total.accepted <= figures.answered + figures.lost());
  CHECK(service.total.aborted >=
        figures.lost() - (figures.answered + figures.lost() - service.total.accepted));
}

TEST_CASE("random children killed under load with two listeners strand nobody") {
  ServerProcess server({"--listen=127.0.0.1:0,name=second", "--start-servers=6", "--min-spare-servers=4",
                        "--max-spare-servers=10", "--max-clients=32"});
  Load first(server.addresses().at(0), 3), second(server.addresses().at(1), 3);
  std::mt19937 random(2);
  for (int kills = 0; kills < 30; ++kills) {
    CHECK(first.more_answers(5));
    CHECK(second.more_answers(5));
    const auto children = server.children();
    if (!children.empty()) ::kill(children[random() % children.size()], SIGKILL);
  }
  const LoadFigures figures = first.stop(), others = second.stop();
  CHECK(figures.timed_out + others.timed_out == 0);
  CHECK(figures.lost() + others.lost() <= 30);
}

TEST_CASE("children whose parent is killed finish the open connection, and leave") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=2"});
  Client client = server.connect();
  const pid_t busy = client.child();
  const auto children = server.children();
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  CHECK(eventually([&] {
    return std::all_of(children.begin(), children.end(),
                       [&](pid_t child) { return child == busy || !is_alive(child); });
  }));
  CHECK(client.ask("echo finished") == "finished");
  CHECK(is_alive(busy));
  // The file that the crash has left tells the truth.
  const Snapshot snapshot = server.snapshot();
  CHECK_FALSE(snapshot.parent_alive);
  CHECK_FALSE(snapshot.stopping);
  CHECK(snapshot.services.at(0).open_connections == 1);
  client.close();
  CHECK(eventually([&] { return !is_alive(busy); }));
}

TEST_CASE("children that are stopped when their parent is killed finish the open connection, and leave") {
  ServerOptions options;
  // As a daemon: in a session of its own. Otherwise the kernel itself continues the processes of a group that
  // has lost its parent.
  options.in_process = [] {
    while (::setsid() < 0) ::setpgid(0, ::getpgid(::getppid()));
  };
  ServerProcess server({"--start-servers=3", "--min-spare-servers=2"}, options);
  Client client = server.connect();
  const pid_t busy = client.child();
  // A child that is stopped before it has asked for a signal at its parent's end gets none.
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2 && service.busy == 1; }));
  const auto stopped = server.children();
  for (const pid_t child : stopped) ::kill(child, SIGSTOP);
  REQUIRE(eventually(
      [&] { return std::ranges::all_of(stopped, [](pid_t child) { return process_state(child) == 'T'; }); }));
  // Others take their places.
  REQUIRE(server.reaches(
      [&](const auto& service) { return service.stopped == stopped.size() && service.idle >= 2; }));
  const auto children = server.children();
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  CHECK(eventually([&] {
    return std::ranges::all_of(children, [&](pid_t child) { return child == busy || !is_alive(child); });
  }));
  ServerProcess next({"--listen=" + server.address()}, {.listen = false});
  CHECK(next.connect().ask("echo new") == "new");
  CHECK(client.ask("echo old") == "old");
  client.close();
  CHECK(eventually([&] { return !is_alive(busy); }));
}

TEST_CASE("a parent killed under load leaves no child behind") {
  ServerProcess server({"--start-servers=6", "--min-spare-servers=4", "--max-clients=32"});
  Load load(server.address(), 8);
  CHECK(load.more_answers(100));
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  const std::string scoreboard = server.scoreboard();
  CHECK(eventually([&] {
    const auto slots = Snapshot::read(scoreboard).services.at(0).slots;
    return std::none_of(slots.begin(), slots.end(),
                        [](const auto& slot) { return slot.pid != 0 && is_alive(slot.pid); });
  }));
  load.stop();
}

TEST_CASE("the next start takes over what a killed parent has left: scoreboard, pid file and unix socket") {
  const TemporaryDirectory place;
  const std::vector<std::string> arguments = {"--runtime-directory=" + place.path(),
                                              "--pid-file=" + (place / "pid"),
                                              "--listen=unix:" + (place / "socket")};
  const ServerOptions options{.listen = false, .runtime_directory = false};
  ServerProcess first(arguments, options);
  const auto children = first.children();
  first.signal(SIGKILL);
  CHECK(first.wait_exit() == killed_by(SIGKILL));
  CHECK(eventually([&] { return std::none_of(children.begin(), children.end(), is_alive); }));

  ServerProcess second(arguments, options);
  CHECK(second.snapshot().parent_pid == second.pid());
  CHECK(second.snapshot().parent_alive);
  CHECK(second.service().total.accepted == 0);
  CHECK(read_file(place / "pid") == std::to_string(second.pid()) + "\n");
  CHECK(second.connect().ask("echo hello") == "hello");
}

TEST_CASE(
    "a connection that outlives its killed parent does not keep the next start from the port and the pid "
    "file") {
  const TemporaryDirectory place;
  bool two_listeners = false;
  SUBCASE("one listener") {}
  SUBCASE("two listeners") { two_listeners = true; }
  std::vector<std::string> arguments = {"--runtime-directory=" + place.path(),
                                        "--pid-file=" + (place / "pid")};
  if (two_listeners) arguments.push_back("--listen=unix:" + (place / "socket"));
  ServerProcess first(arguments, {.runtime_directory = false});
  Client client = first.connect();
  const pid_t busy = client.child();
  const auto children = first.children();
  first.signal(SIGKILL);
  CHECK(first.wait_exit() == killed_by(SIGKILL));
  REQUIRE(eventually([&] {
    return std::all_of(children.begin(), children.end(),
                       [&](pid_t child) { return child == busy || !is_alive(child); });
  }));
  arguments.push_back("--listen=" + first.address());
  ServerProcess second(arguments, {.listen = false, .runtime_directory = false});
  CHECK(second.connect().ask("echo new") == "new");
  CHECK(client.ask("echo old") == "old");
  client.close();
  CHECK(eventually([&] { return !is_alive(busy); }));
}

TEST_CASE("a grandchild that a handler left behind does not disturb the parent") {
  ServerProcess server;
  Client client = server.connect();
  const pid_t grandchild = std::stoi(client.ask("fork"));
  client.close();
  CHECK(server.connect().ask("echo hello") == "hello");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  ::kill(grandchild, SIGKILL);
}
