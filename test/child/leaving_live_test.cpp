// SPDX-License-Identifier: MIT
// The hook of a child that leaves is called once, while connections are still open if possible, and with a
// limit of its own.
#include <doctest/doctest.h>

#include <csignal>

#include "models.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::vector<std::string> single_child{"--start-servers=1", "--min-spare-servers=1",
                                            "--max-spare-servers=1"};

std::vector<std::string> operator+(std::vector<std::string> some, const std::vector<std::string>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

std::string ends(pid_t child) { return "[" + std::to_string(child) + "] info: test_server: a child leaves"; }

bool before(const std::string& log, const std::string& first, const std::string& second) {
  const auto at = log.find(first);
  const auto then = log.find(second);
  return at != std::string::npos && then != std::string::npos && at < then;
}

}  // namespace

TEST_CASE("the hook is called in children of every model, once each, before they end") {
  std::vector<std::string> arguments = single_child;
  SUBCASE("blocking, several listeners") { arguments.emplace_back("--listen=127.0.0.1:0"); }
  const ServerOptions options = model(arguments, 8);
  ServerProcess server(arguments, options);
  const pid_t first = server.connect().child();
  server.signal(SIGHUP);
  CHECK(server.wait_for_log(hears(first)));
  CHECK(eventually([first] { return !is_alive(first); }));
  CHECK(server.reaches([](const auto& service) { return service.idle == 1 && service.leaving == 0; }));
  const pid_t second = server.connect().child();
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log(hears(first)) == 1);
  CHECK(server.count_in_log(hears(second)) == 1);
  if (options.program == "brood-test-server") CHECK(before(server.log(), hears(first), ends(first)));
}

TEST_CASE("with threads or in a loop the hook is called while connections go on") {
  std::vector<std::string> arguments = single_child;
  const ServerOptions options = model_of_many(arguments);
  ServerProcess server(arguments, options);
  Client client = server.connect();
  const pid_t child = client.child();
  if (options.program == "brood-event-test-server") CHECK(client.ask("busy") == "busy");
  if (options.program == "brood-async-test-server") client.send("wait\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log(hears(child)));
  CHECK(is_alive(child));
  if (options.program != "brood-async-test-server") CHECK(client.ask("echo still here") == "still here");
  client.close();
  CHECK(eventually([child] { return !is_alive(child); }));
  CHECK(server.count_in_log(hears(child)) == 1);
}

TEST_CASE("a handler that has its child to itself is not interrupted by the hook") {
  ServerProcess server(single_child);
  Client client = server.connect();
  const pid_t child = client.child();
  server.signal(SIGHUP);
  // This one, not a spare that was started for it and is of the old generation too.
  CHECK(server.shows_leaving(child));
  CHECK(client.ask("leaving") == "yes");
  CHECK(server.count_in_log(hears(child)) == 0);
  client.close();
  CHECK(server.wait_for_log(hears(child)));
}

TEST_CASE("an exception in the hook is logged, and the child leaves as ordered") {
  ServerProcess server(single_child + std::vector<std::string>{"--child-leaving=throw no cache to save"});
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("on_child_leaving: no cache to save") == 1);
  CHECK(server.count_in_log("exited with code") == 0);
}

TEST_CASE("the hook is not called in a child that is killed") {
  ServerProcess server(single_child);
  const pid_t child = server.connect().child();
  ::kill(child, SIGKILL);
  CHECK(server.wait_for_log("child " + std::to_string(child) + " was killed by signal 9"));
  CHECK(server.count_in_log(hears(child)) == 0);
}

TEST_CASE("a child that takes longer to leave than leave-timeout is ended") {
  const std::vector<std::string> hanging{"--child-leaving=hang", "--leave-timeout=300ms"};
  SUBCASE("ordered by the parent") {
    ServerProcess server(single_child + hanging);
    const pid_t child = server.connect().child();
    server.signal(SIGHUP);
    CHECK(server.wait_for_log("child " + std::to_string(child) + ": beyond leave-timeout; it gets SIGABRT"));
    CHECK(eventually([child] { return !is_alive(child); }));
    CHECK(server.connect().ask("echo on") == "on");
  }
  SUBCASE("by itself") {
    ServerProcess server(single_child + hanging);
    Client client = server.connect();
    const pid_t child = client.child();
    CHECK(client.ask("stop") == "stopping");
    client.close();
    CHECK(server.wait_for_log("child " + std::to_string(child) + ": beyond leave-timeout; it gets SIGABRT"));
    CHECK(eventually([child] { return !is_alive(child); }));
  }
}

TEST_CASE("the time to leave begins when the last connection has ended") {
  // Told to leave long before its connection ends: if the time ran since then, it would be over at once.
  ServerProcess server(single_child + std::vector<std::string>{"--leave-timeout=2s", "--child-leaving=hold"});
  Client client = server.connect();
  const pid_t child = client.child();
  server.signal(SIGHUP);
  CHECK(server.shows_leaving(child));
  CHECK(client.ask("hold 2500") == "held");
  client.close();
  CHECK(server.wait_for_log("child " + std::to_string(child) + " has held"));
  CHECK(server.count_in_log("beyond leave-timeout") == 0);
}
