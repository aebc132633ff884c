// SPDX-License-Identifier: MIT
// TERM, INT, QUIT: how a server ends. Every client that has connected gets its answer.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "load.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// Whether new connections can be kept out of a draining listener. If not, a stop under load can reset some.
bool may_filter() {
  const std::string capabilities = status_of(::getpid(), "CapEff");
  constexpr unsigned net_admin = 12;
  return (std::stoull(capabilities, nullptr, 16) >> net_admin & 1U) != 0;
}

}  // namespace

TEST_CASE("SIGTERM ends an idle server with exit code 0, and removes what it made") {
  const TemporaryDirectory place;
  ServerProcess server({"--pid-file=" + (place / "pid"), "--listen=unix:" + (place / "socket")});
  CHECK(read_file(place / "pid") == std::to_string(server.pid()) + "\n");
  const auto children = server.children();
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(std::filesystem::exists(place / "pid"));
  CHECK_FALSE(std::filesystem::exists(place / "socket"));
  CHECK_FALSE(std::filesystem::exists(server.scoreboard()));
  CHECK(std::none_of(children.begin(), children.end(), is_alive));
  CHECK(server.count_in_log("test_server: a child leaves") == children.size());
}

TEST_CASE("SIGTERM lets the open connection be finished") {
  ServerProcess server;
  Client client = server.connect();
  client.child();
  server.signal(SIGTERM);
  CHECK(eventually([&] { return client.ask("leaving") == "yes"; }));
  CHECK(server.running());
  CHECK(server.snapshot().stopping);
  CHECK(client.ask("echo finished") == "finished");
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("SIGTERM lets the backlog be served") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=2"});
  auto held = server.hold(2);
  std::vector<Client> waiting;
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(server.connect());
    waiting.back().send("echo served\nbye\n");
  }
  server.signal(SIGTERM);
  CHECK(server.wait_for_log("stopping"));
  if (may_filter()) {
    CHECK(held.at(0).ask("echo on") == "on");
    CHECK(server.running());
  }
  held.clear();
  for (auto& client : waiting) {
    CHECK(client.line() == "served");
    CHECK(client.line() == "bye");
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("were reset") == 0);
}

TEST_CASE("SIGTERM under load resets nobody, where newcomers can be kept out") {
  if (!may_filter()) {
    MESSAGE("skipped: needs CAP_NET_ADMIN");
    return;
  }
  for (int round = 0; round < 3; ++round) {
    ServerProcess server({"--start-servers=4", "--min-spare-servers=4", "--max-clients=32"});
    LoadFigures figures;
    {
      Load load(server.address(), 16);
      CHECK(load.more_answers(100));
      server.signal(SIGTERM);
      CHECK(server.wait_exit() == exited(0));
      figures = load.stop();
    }
    CHECK(figures.lost() == 0);
    CHECK(server.count_in_log("were reset") == 0);
  }
}

TEST_CASE("SIGTERM under load over a unix socket loses nobody") {
  const TemporaryDirectory place;
  ServerProcess server({"--listen=unix:" + (place / "socket")}, {.listen = false});
  Load load(server.address(), 8);
  CHECK(load.more_answers(100));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(load.stop().lost() == 0);
}

TEST_CASE(
    "without CAP_NET_ADMIN the log says how many were left in the queue, and that many were lost at most") {
  if (skipped_without_root("to run a server without it")) return;
  ServerProcess server({"--start-servers=4", "--min-spare-servers=4", "--max-clients=8"}, {.user = 65534});
  Load load(server.address(), 16);
  CHECK(load.more_answers(100));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  const LoadFigures figures = load.stop();
  CHECK(server.wait_for_log("needs CAP_NET_ADMIN"));
  std::uint64_t told = 0;
  const std::string log = server.log();
  if (const auto at = log.find("closed with "); at != std::string::npos)
    told = std::stoull(log.substr(at + 12));
  CHECK(figures.lost() <= told + 1);  // one may arrive between the count and the close
}

TEST_CASE("SIGTERM straight to a child is ignored") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=1"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2; }));
  const auto children = server.children();
  Client client = server.connect();
  client.child();
  for (const pid_t child : children)
    for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGUSR1}) ::kill(child, number);
  CHECK(client.ask("echo on") == "on");
  client.close();
  CHECK(stays([&] { return server.children() == children; }, 200ms));
  for (int i = 0; i < 10; ++i) CHECK(server.connect().ask("echo x") == "x");
  CHECK(server.service().children_gone == 0);
}

TEST_CASE(
    "SIGTERM to every process of the server at once still finishes open connections and serves the backlog") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=2"});
  auto held = server.hold(2);
  Client waiting = server.connect();
  waiting.send("echo served\nbye\n");
  server.signal_group(SIGTERM);
  for (auto& client : held) CHECK(client.ask("echo finished") == "finished");
  held.clear();
  CHECK(waiting.line() == "served");
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a second SIGTERM, SIGINT and SIGQUIT stop now") {
  ServerProcess server;
  Client client = server.connect();
  client.child();
  SUBCASE("second SIGTERM") {
    server.signal(SIGTERM);
    CHECK(server.wait_for_log("stopping: "));
    server.signal(SIGTERM);
  }
  SUBCASE("SIGINT") { server.signal(SIGINT); }
  SUBCASE("SIGQUIT") { server.signal(SIGQUIT); }
  SUBCASE("SIGINT while it stops") {
    server.signal(SIGTERM);
    CHECK(server.wait_for_log("stopping: "));
    server.signal(SIGINT);
  }
  CHECK(server.wait_exit() == exited(0));
  CHECK(client.ending() != Ending::timed_out);
  CHECK(server.count_in_log("stopping now") == 1);
  CHECK(server.count_in_log("while serving 127.0.0.1:") >= 1);
  CHECK_FALSE(std::filesystem::exists(server.scoreboard()));
}

TEST_CASE("SIGINT from a terminal to the whole process group ends all of it cleanly") {
  ServerProcess server;
  const auto children = server.children();
  server.signal_group(SIGINT);
  CHECK(server.wait_exit() == exited(0));
  CHECK(std::none_of(children.begin(), children.end(), is_alive));
  CHECK(server.standard_error().empty());
}

TEST_CASE(
    "a child with an open connection beyond graceful-timeout is killed, and the log says what it served") {
  ServerProcess server({"--graceful-timeout=300ms"});
  Client client = server.connect();
  client.ask("note GET /slow");
  const std::string peer = client.ask("peer");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(client.ending() != Ending::timed_out);
  CHECK(server.count_in_log("graceful-timeout is over") >= 1);
  CHECK(server.count_in_log("while serving " + peer + " 'GET /slow'") >= 1);
}

TEST_CASE("graceful-timeout 0 waits as long as it takes") {
  ServerProcess server({"--graceful-timeout=0"});
  Client client = server.connect();
  client.child();
  server.signal(SIGTERM);
  CHECK(stays([&] { return server.running(); }, 1500ms));
  CHECK(client.ask("echo finished") == "finished");
  client.close();
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a stop that comes with the start ends cleanly") {
  for (int round = 0; round < 10; ++round) {
    ServerProcess server({}, {.wait_ready = false});
    // When the log exists, the parent has blocked its signals, or is about to.
    REQUIRE(eventually([&] { return !server.children().empty() || !server.running(); }));
    server.signal(SIGTERM);
    CHECK(server.wait_exit() == exited(0));
    CHECK_FALSE(std::filesystem::exists(server.directory() / "brood-test-server.scoreboard"));
  }
}

TEST_CASE("SIGHUP while it stops is no obstacle") {
  ServerProcess server;
  Client client = server.connect();
  client.child();
  server.signal(SIGTERM);
  CHECK(server.wait_for_log("stopping: "));
  for (int i = 0; i < 5; ++i) server.signal(SIGHUP);
  CHECK(client.ask("echo finished") == "finished");
  client.close();
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a stopped child does not keep the server from ending at graceful-timeout") {
  ServerProcess server({"--graceful-timeout=500ms"});
  const auto children = server.children();
  ::kill(children.front(), SIGSTOP);
  CHECK(server.wait_for_log("was stopped"));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(std::none_of(children.begin(), children.end(), is_alive));
}

TEST_CASE("a peer that still sends gets its answer before the connection ends") {
  ServerProcess server;
  Client client = server.connect();
  // Input after "bye" stays unread: a plain close would reset the connection, and could lose the answer.
  client.send("echo answer\nbye\n" + std::string(100'000, 'x'));
  CHECK(client.line() == "answer");
  CHECK(client.line() == "bye");
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
}
