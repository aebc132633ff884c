// SPDX-License-Identifier: MIT
// How children with an event loop leave, die, and run out of descriptors.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>

#include "event_server.hpp"
#include "load.hpp"
#include "process_table.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> one_leaving_child(std::vector<std::string> more = {}) {
  more.insert(more.end(), {threads(), "--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1"});
  return more;
}

double processor_seconds(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(") ") + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

TEST_CASE("a child that leaves closes idle connections, and serves the others and new ones to the end") {
  ServerProcess server(one_leaving_child(), events);
  Client idle = server.connect();
  const pid_t child = idle.child();
  Client waiting = server.connect();
  CHECK(waiting.ask("busy") == "busy");
  Client silent = server.connect();
  REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 3; }));
  const auto told = std::chrono::steady_clock::now();
  server.signal(SIGHUP);
  CHECK(eventually([&] { return waiting.ask("leaving") == "yes"; }));
  // A request that is on its way finds its connection open, however long that was idle. On a busy machine
  // this one may come after the second that the child gives it.
  try {
    CHECK(idle.ask("echo in time") == "in time");
  } catch (const ClientError&) {
    CHECK(std::chrono::steady_clock::now() - told > 1s);
  }
  CHECK(idle.ending() == Ending::closed);
  CHECK(silent.ask("pid") == std::to_string(child));
  CHECK(waiting.ask("echo on") == "on");
  CHECK(is_alive(child));
  CHECK(waiting.ask("idle") == "idle");
  CHECK(waiting.ending() == Ending::closed);
  CHECK(silent.ending() == Ending::closed);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 3; }));
  CHECK(server.service().total.failed == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("SIGTERM closes what is idle and lets the rest end") {
  ServerProcess server(one_leaving_child(), events);
  auto idle = server.hold(20);
  Client waiting = server.connect();
  CHECK(waiting.ask("busy") == "busy");
  std::vector<Client> asked;
  for (int i = 0; i < 20; ++i) {
    asked.push_back(server.connect());
    asked.back().send("echo served\n");
  }
  server.signal(SIGTERM);
  for (auto& client : asked) CHECK(client.line() == "served");
  for (auto& client : idle) CHECK(client.ending() == Ending::closed);
  CHECK(waiting.ask("echo on") == "on");
  CHECK(server.running());
  waiting.close();
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("killed") == 0);
}

TEST_CASE("connections that arrive together with SIGHUP are all served") {
  std::vector<std::string> arguments = {threads(), "--start-servers=2", "--min-spare-servers=1",
                                        "--max-spare-servers=2"};
  SUBCASE("one listener") {}
  SUBCASE("two listeners") { arguments.emplace_back("--listen=127.0.0.1:0,name=second"); }
  ServerProcess server(arguments, events);
  for (int round = 0; round < 25; ++round) {
    std::vector<Client> clients;
    const auto connect = [&](int number) {
      for (int i = 0; i < number; ++i) {
        clients.emplace_back(server.addresses()[static_cast<std::size_t>(i) % server.addresses().size()]);
        clients.back().send("echo served\nclose\n");
      }
    };
    connect(15);
    server.signal(SIGHUP);
    connect(15);
    for (auto& client : clients) {
      CHECK(client.line() == "served");
      CHECK(client.line() == "closing");
      CHECK(client.ending() == Ending::closed);
    }
  }
  CHECK(server.reaches([](const auto& service) {
    return service.total.finished == 25 * 30 && service.open_connections == 0 && service.leaving == 0;
  }));
  CHECK(server.service().total.aborted == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("the open connections of a killed child are counted as aborted") {
  ServerProcess server(one_leaving_child(), events);
  auto held = server.hold(40);
  ::kill(held.front().child(), SIGKILL);
  for (auto& client : held) CHECK(client.ending() != Ending::timed_out);
  CHECK(server.reaches([](const auto& service) {
    return service.total.accepted == 40 && service.total.aborted == 40 && service.open_connections == 0;
  }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("of surplus children those without connections are told to leave, and no others") {
  ServerProcess server({threads(), "--max-connections-per-child=2", "--start-servers=6",
                        "--min-spare-servers=1", "--max-spare-servers=6"},
                       events);
  auto held = server.hold(12);
  REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 12; }));
  std::vector<Client> one_each;
  std::vector<pid_t> children;
  for (auto& client : held) {
    const pid_t child = client.child();
    if (std::find(children.begin(), children.end(), child) != children.end()) continue;
    children.push_back(child);
    one_each.push_back(std::move(client));
  }
  held.clear();
  for (auto& client : one_each) CHECK(client.ask("busy") == "busy");
  // Each has room, so all are spares, and more than are wanted where there are others.
  CHECK(server.reaches([&](const auto& service) {
    return service.open_connections == one_each.size() &&
           service.children() <= std::max<std::size_t>(6, children.size());
  }));
  for (std::size_t i = 0; i < one_each.size(); ++i) CHECK(one_each[i].child() == children[i]);
  CHECK(server.service().total.aborted == 0);
}

TEST_CASE("two listeners, one of them a unix socket") {
  const TemporaryDirectory place;
  ServerProcess server(one_leaving_child({"--listen=unix:" + (place / "socket") + ",name=local"}), events);
  Client local("unix:" + (place / "socket"));
  CHECK(local.ask("listener") == "local");
  for (int i = 0; i < 50; ++i) {
    CHECK(server.connect().ask("listener") == server.address());
    CHECK(Client("unix:" + (place / "socket")).ask("listener") == "local");
  }
  CHECK(local.child() == server.connect().child());
}

TEST_CASE("a child without descriptors serves those that it has, does not spin, and takes more when it can") {
  ServerProcess server(one_leaving_child({"--max-clients=1"}),
                       {.program = "brood-event-test-server", .heed_sanitizers = false});
  auto held = server.hold(5);
  const pid_t child = held.front().child();
  rlimit before{};
  REQUIRE(::prlimit(child, RLIMIT_NOFILE, nullptr, &before) == 0);
  const rlimit none{3, before.rlim_max};
  REQUIRE(::prlimit(child, RLIMIT_NOFILE, &none, nullptr) == 0);
  Client waiting = server.connect();
  waiting.send("echo served\n");
  CHECK(server.wait_for_log("out of descriptors or memory"));
  const double used = processor_seconds(child);
  std::this_thread::sleep_for(1s);
  CHECK(processor_seconds(child) - used < 0.25);
  for (auto& client : held) CHECK(client.child() == child);
  // Nudges and ends of connections come between.
  for (int i = 0; i < 50; ++i) ::kill(child, SIGUSR1);
  held.pop_back();
  CHECK(server.count_in_log("out of descriptors or memory") == 1);
  REQUIRE(::prlimit(child, RLIMIT_NOFILE, &before, nullptr) == 0);
  CHECK(waiting.line() == "served");
  const double recovered = processor_seconds(child);
  std::this_thread::sleep_for(1s);
  CHECK(processor_seconds(child) - recovered < 0.25);
  CHECK(server.connect().child() == child);
}

TEST_CASE("signals to look again, from anywhere and at any rate, leave an idle child idle") {
  ServerProcess server(one_leaving_child(), events);
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 1; }));
  const pid_t child = server.children().front();
  for (int i = 0; i < 20'000; ++i) ::kill(child, SIGUSR1);
  CHECK(server.connect().ask("echo hello") == "hello");
  const double used = processor_seconds(child);
  std::this_thread::sleep_for(1s);
  CHECK(processor_seconds(child) - used < 0.25);
  CHECK(is_alive(child));
}

TEST_CASE("children of a parent that was killed end what they have, and free the address") {
  std::vector<std::string> arguments =
      one_leaving_child({"--max-connections-per-child=3", "--max-clients=2"});
  bool full = false;
  SUBCASE("with room for more") {}
  SUBCASE("full") { full = true; }
  ServerProcess server(arguments, events);
  auto held = server.hold(full ? 6 : 2);
  if (full) REQUIRE(server.reaches([](const auto& service) { return service.spare == 0; }));
  for (auto& client : held) CHECK(client.ask("busy") == "busy");
  const auto children = server.children();
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  CHECK(eventually([&] { return held.front().ask("leaving") == "yes"; }));
  {
    ServerProcess next({"--listen=" + server.address()},
                       {.program = "brood-event-test-server", .listen = false});
    CHECK(next.connect().ask("echo next") == "next");
  }
  for (auto& client : held) CHECK(client.ask("echo still") == "still");
  held.clear();
  CHECK(eventually([&] { return std::none_of(children.begin(), children.end(), is_alive); }));
}

TEST_CASE("a full child that is told to leave reports it, and does not delay the end of the server") {
  ServerProcess server(one_leaving_child({"--max-connections-per-child=3", "--max-clients=1"}), events);
  auto held = server.hold(3);
  for (auto& client : held) CHECK(client.ask("busy") == "busy");
  server.signal(SIGTERM);
  CHECK(eventually([&] { return held.front().ask("leaving") == "yes"; }));
  held.pop_back();
  held.pop_back();
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 1 && service.leaving == 1; }));
  CHECK(held.front().ask("idle") == "idle");
  CHECK(server.wait_exit() == exited(0));
}
