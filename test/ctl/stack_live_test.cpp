// SPDX-License-Identifier: MIT
// broodctl stack: where in its code a child is that lives, and that goes on with what it does.
#include <doctest/doctest.h>

#include <chrono>

#include "broodctl.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A container may forbid ptrace(2).
bool may_look(const CtlAnswer& answer) {
  if (!answer.says("Operation not permitted")) return true;
  MESSAGE("skipped: this process may not look at others");
  return false;
}

}  // namespace

TEST_CASE("broodctl stack shows where a child waits, and does not cut its system call short") {
  constexpr auto time = 1500ms;
  ServerProcess server(pool(2));
  Client client = server.connect();
  const std::string child = client.ask("pid");
  CHECK(client.ask("note GET /slow") == "noted");
  CHECK(ask(server, "stack 1").says("has no child 1"));
  CHECK(ask(server, "stack nobody").says("has no service nobody"));
  const auto begin = std::chrono::steady_clock::now();
  client.send("hold " + std::to_string(time.count()) + '\n');
  const CtlAnswer by_pid = ask(server, "stack " + child);
  if (!may_look(by_pid)) return;
  CHECK(by_pid.code == 0);
  CHECK(by_pid.says("child " + child + ", service brood-test-server: 127.0.0.1:"));
  CHECK(by_pid.says(" 'GET /slow' for "));
  CHECK(by_pid.says("TestServer::handle_connection(brood::Connection&) at "));
  CHECK(ask(server, "stack brood-test-server").says("TestServer::handle_connection("));
  CHECK(client.line() == "held");
  CHECK(std::chrono::steady_clock::now() - begin >= time);
  client.close();
  CHECK(server.reaches([](const auto& service) { return service.busy == 0; }));
  CHECK(ask(server, "stack brood-test-server").says("no child is busy"));
}

TEST_CASE("broodctl stack shows a child that computes for ever, and each of its threads") {
  ServerProcess server({"--threads-per-child=2", "--start-servers=1", "--min-spare-servers=1"},
                       {.program = "brood-thread-test-server"});
  Client client = server.connect();
  const std::string child = client.ask("pid");
  client.send("spin\n");
  CtlAnswer answer;
  CHECK(eventually([&] {
    answer = ask(server, "stack " + child);
    return !may_look(answer) || answer.says("brood::test::spin()");
  }));
  if (!may_look(answer)) return;
  CHECK(answer.says("thread " + child));
  CHECK(answer.text.find("  thread ") != answer.text.rfind("  thread "));
}
