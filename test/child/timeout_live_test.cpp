// SPDX-License-Identifier: MIT
// connection-timeout: a child that is busy with one connection for too long is ended, and the log says with
// what.
#include <doctest/doctest.h>

#include <csignal>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("a child that is busy for too long gets SIGABRT and is replaced, and the log names peer and note") {
  ServerProcess server({"--connection-timeout=1s"});
  Client client = server.connect();
  // All at once: its time runs.
  client.send("peer\nnote GET /spin\npid\nspin\n");
  const std::string peer = client.line();
  CHECK(client.line() == "noted");
  const auto child = static_cast<pid_t>(std::stol(client.line()));
  CHECK(client.ending() == Ending::closed);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.wait_for_log("child " + std::to_string(child) + " while serving " + peer + " 'GET /spin'"));
  CHECK(server.wait_for_log("connection-timeout; it gets SIGABRT"));
  CHECK(server.reaches([](const auto& service) {
    return service.connection_timeouts == 1 && service.total.aborted == 1 && service.idle >= 5;
  }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a handler that waits for its client gets an error when connection-timeout is over") {
  ServerProcess server([] {
    auto settings = pool(1);
    settings.emplace_back("--connection-timeout=500ms");
    return settings;
  }());
  const pid_t child = server.connect().child();
  for (const char* command : {"wait\n", "flood 100000000\n", "hold 600\n"}) {
    Client client = server.connect();
    client.send(command);
    if (*command == 'f') CHECK(eventually([&] { return server.service().open_connections == 0; }));
    CHECK(client.ending() != Ending::timed_out);
  }
  CHECK(server.connect().child() == child);
  CHECK(server.service().connection_timeouts == 0);
  CHECK(server.service().total.aborted == 0);
  CHECK(server.count_in_log("SIGABRT") == 0);
}

TEST_CASE("a handler that extends its deadline is left alone until then") {
  ServerProcess server([] {
    auto settings = pool(1);
    settings.emplace_back("--connection-timeout=2s");
    return settings;
  }());
  Client client = server.connect();
  // All at once: its time runs.
  client.send("extend 60000\npid\nhold 8500\npid\n");
  CHECK(client.line() == "extended");
  const std::string child = client.line();
  CHECK(client.line() == "held");  // beyond connection-timeout and what the parent adds to it
  CHECK(client.line() == child);
  CHECK(server.service().connection_timeouts == 0);
}

TEST_CASE("a handler that has extended its deadline does not extend that of other connections") {
  ServerProcess server({"--connection-timeout=2s", "--start-servers=4", "--min-spare-servers=1",
                        "--max-spare-servers=4", "--max-clients=4"});
  Client extended = server.connect();
  extended.send("extend 600000\npid\n");
  CHECK(extended.line() == "extended");
  const std::string child = extended.line();
  // Its first time limit passes: the parent sees the new one, and has nothing else to look at.
  CHECK(server.reaches([](const auto& service) { return service.busy == 1 && service.idle == 3; }));
  CHECK(stays([&] { return server.service().busy == 1; }, 8s));
  Client other = server.connect();
  other.send("spin\n");
  CHECK(other.ending() == Ending::closed);
  CHECK(server.service().connection_timeouts == 1);
  CHECK(extended.ask("pid") == child);
}

TEST_CASE("a child that ignores SIGABRT gets SIGKILL") {
  ServerProcess server({"--connection-timeout=1s"});
  Client client = server.connect();
  client.send("pid\ndeaf\nspin\n");
  const auto child = static_cast<pid_t>(std::stol(client.line()));
  CHECK(client.line() == "deaf");
  CHECK(client.ending() == Ending::closed);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.wait_for_log("it gets SIGABRT"));
  CHECK(server.wait_for_log("it is killed"));
  CHECK(server.wait_for_log("child " + std::to_string(child) + " was killed by signal 9"));
  CHECK(server.service().connection_timeouts == 1);
}

TEST_CASE("a stopped child with an open connection is ended by connection-timeout as well") {
  ServerProcess server({"--connection-timeout=1s"});
  Client client = server.connect();
  const pid_t child = client.child();
  ::kill(child, SIGSTOP);
  CHECK(client.ending() == Ending::closed);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("connections that each stay within connection-timeout are left alone") {
  ServerProcess server({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                        "--max-clients=1", "--connection-timeout=20s"});
  for (int i = 0; i < 10; ++i) CHECK(server.connect().ask("hold 20") == "held");
  CHECK(server.service().connection_timeouts == 0);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("an idle server with a connection-timeout ends nobody") {
  ServerProcess server({"--connection-timeout=1s", "--start-servers=3", "--min-spare-servers=3"});
  server.connect().ask("echo hello");
  REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  CHECK(stays([&] { return server.service().children_gone == 0; }, 1500ms));
}
