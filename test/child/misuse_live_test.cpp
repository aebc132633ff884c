// SPDX-License-Identifier: MIT
// What the manual forbids is noticed and named.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("a copy that a handler makes by fork() and that returns is ended, and its child serves on") {
  std::string program = "brood-test-server";
  std::vector<std::string> more;
  SUBCASE("one connection at a time") {}
  SUBCASE("several listeners") { more.emplace_back("--listen=127.0.0.1:0"); }
  std::vector<std::string> arguments = pool(1);
  arguments.insert(arguments.end(), more.begin(), more.end());
  ServerProcess server(arguments);
  Client client = server.connect();
  const pid_t child = client.child();
  const auto copy = static_cast<pid_t>(std::stol(client.ask("copy")));
  CHECK(server.wait_for_log("process " + std::to_string(copy) + " is a copy of a child"));
  CHECK(eventually([&] { return !is_alive(copy); }));
  // The copy has not ended the connection.
  CHECK(client.ask("echo still") == "still");
  client.close();
  REQUIRE(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  CHECK(server.connect().child() == child);
  CHECK(server.service().total.accepted == 2);
}

TEST_CASE("threads of the parent are named before the first child is forked") {
  const TemporaryDirectory place;
  write_file(place / "order", "thread");
  ServerProcess server({"--parent-start=" + (place / "order")});
  CHECK(server.count_in_log("the parent has 2 threads, one of its own") == 1);
  ServerProcess other;
  CHECK(other.count_in_log("threads, one of its own") == 0);
}
