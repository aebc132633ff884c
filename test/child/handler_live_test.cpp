// SPDX-License-Identifier: MIT
// What handlers may do to their child: exceptions, clients that go away, hooks.
#include <doctest/doctest.h>

#include <csignal>
#include <regex>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> one_child() {
  return {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1", "--max-clients=1"};
}

}  // namespace

TEST_CASE("an exception from the handler ends its connection, is counted as failed, and the child goes on") {
  ServerProcess server(one_child());
  const pid_t child = server.connect().child();
  for (const char* exception : {"throw something is wrong", "throw-int"}) {
    Client client = server.connect();
    client.send(std::string(exception) + "\n");
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.connect().child() == child);
  CHECK(server.wait_for_log("something is wrong"));
  CHECK(server.wait_for_log("no std::exception"));
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 4; }));
  CHECK(server.service().total.failed == 2);
  CHECK(server.service().total.aborted == 0);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("a client that makes the handler fail cannot fill the log") {
  constexpr unsigned failures = 2'000;
  ServerProcess server(one_child());
  for (unsigned i = 0; i < failures; ++i) {
    Client client = server.connect();
    client.send("throw something is wrong\n");
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.reaches([](const auto& service) { return service.total.failed == failures; }));
  server.signal(SIGTERM);
  REQUIRE(server.wait_exit() == exited(0));
  // Each one was logged, or is in one of the sums. The last of them is logged with the sum.
  unsigned summed_up = 0;
  unsigned lines = 0;
  const std::string log = server.log();
  const std::regex sum(": and ([0-9]+) more like it in [0-9a-z.]+, the last one: connection from");
  for (std::sregex_iterator found(log.begin(), log.end(), sum), end; found != end; ++found) {
    summed_up += static_cast<unsigned>(std::stoul((*found)[1].str()));
    ++lines;
  }
  CHECK(summed_up > 0);
  CHECK(server.count_in_log("something is wrong") - lines + summed_up == failures);
}

TEST_CASE("a client that resets or goes away in the middle costs its connection only") {
  ServerProcess server(one_child());
  const pid_t child = server.connect().child();
  for (int i = 0; i < 10; ++i) {
    Client rude = server.connect();
    rude.send("hold 1\n");
    rude.abandon();
    Client ruder = server.connect();
    ruder.send("flood 5000000\n");
    ruder.abandon();
    Client silent = server.connect();
    silent.close();
  }
  CHECK(server.connect().child() == child);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("a line that never ends is refused, and the child goes on") {
  ServerProcess server(one_child());
  Client client = server.connect();
  client.send(std::string(20'000, 'x'));
  CHECK(client.ending() == Ending::closed);
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 2; }));
  CHECK(server.service().total.failed == 0);
}

TEST_CASE("large answers arrive whole") {
  ServerProcess server;
  Client client = server.connect();
  client.send("flood 5000000\n");
  CHECK(client.until_end().size() == 5'000'000);
  CHECK(server.reaches([](const auto& service) { return service.total.bytes_written == 5'000'000; }));
}

TEST_CASE("on_child_exit is called in a child that leaves as asked, and not in one that is killed") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2"});
  server.connect().ask("echo hello");
  const pid_t killed = server.children().front();
  ::kill(killed, SIGKILL);
  REQUIRE(
      server.reaches([](const auto& service) { return service.children_gone == 1 && service.idle >= 1; }));
  CHECK(server.count_in_log("test_server: a child leaves") == 0);
  const std::size_t left = server.children().size();
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("test_server: a child leaves") == left);
}
