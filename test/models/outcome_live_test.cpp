// SPDX-License-Identifier: MIT
// Why connections end: each is counted for what it was, in each child model, and only failures of the handler
// are loud.
#include <doctest/doctest.h>

#include <csignal>

#include "models.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// None leaves as a spare too many, and max-clients is not reached with a few connections at once: that would
// be logged.
std::vector<std::string> room_for_all() {
  return {"--start-servers=2", "--max-spare-servers=30", "--max-clients=30"};
}

void wait_until_finished(const ServerProcess& server, std::uint64_t connections) {
  REQUIRE(server.reaches([&](const auto& service) { return service.total.finished == connections; }));
}

// The lines of the log since the server was ready.
std::string later_lines(const ServerProcess& server) {
  const std::string log = server.log();
  return log.substr(log.find('\n', log.find(" info: ready: ")) + 1);
}

}  // namespace

TEST_CASE("a thousand checks of a load balancer leave nothing but a count") {
  constexpr unsigned checks = 1'000;
  std::vector<std::string> arguments = room_for_all();
  const ServerOptions options = model(arguments, 2);
  ServerProcess server(arguments, options);
  for (unsigned i = 0; i < checks / 2; ++i) {
    server.connect().close();
    server.connect().abandon();
    if (i % 5 == 4) wait_until_finished(server, 2 * (i + 1));
  }
  CHECK(server.reaches([](const auto& service) {
    return service.total.finished == checks && service.total.probes == checks;
  }));
  const auto total = server.service().total;
  CHECK(total.failed == 0);
  CHECK(total.peers_gone == 0);
  CHECK(total.timed_out == 0);
  CHECK(later_lines(server) == "");
}

TEST_CASE("a peer that is gone in the middle is no failure, and no line at the default level") {
  std::vector<std::string> arguments = room_for_all();
  const ServerOptions options = model(arguments, 2);
  ServerProcess server(arguments, options);
  for (unsigned i = 0; i < 20; ++i) {
    Client client = server.connect();
    client.send("flood 20000000\n");
    client.receive_some();
    client.abandon();
    wait_until_finished(server, i + 1);
  }
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 20 && service.total.peers_gone == 20; }));
  CHECK(server.service().total.failed == 0);
  CHECK(server.service().total.probes == 0);
  CHECK(later_lines(server) == "");
}

TEST_CASE("an exception of the handler is a failure and a warning, whatever the peer does") {
  std::vector<std::string> arguments = pool(2);
  const ServerOptions options = model(arguments, 2);
  ServerProcess server(arguments, options);
  for (const bool reset : {false, true}) {
    Client client = server.connect();
    client.send("throw something is wrong\n");
    if (reset)
      client.abandon();
    else
      CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 2; }));
  const auto total = server.service().total;
  // The second one may have been reset before it was read.
  CHECK(total.failed >= 1);
  CHECK(total.failed + total.peers_gone + total.probes == 2);
  CHECK(server.wait_for_log(" warning: connection from "));
}

TEST_CASE("a time limit is counted as one, and costs no child") {
  std::vector<std::string> arguments = pool(2);
  const ServerOptions options = model(arguments, 2);
  arguments.emplace_back("--connection-timeout=400ms");
  ServerProcess server(arguments, options);
  Client silent = server.connect();
  Client slow = server.connect();
  slow.send("echo hello\n");
  CHECK(slow.line() == "hello");
  CHECK(slow.ending() == Ending::closed);
  CHECK(silent.ending() == Ending::closed);
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 2 && service.total.timed_out == 2; }));
  CHECK(server.service().total.failed == 0);
  CHECK(server.service().children_gone == 0);
  CHECK(server.count_in_log("warning: connection from") == 0);
}

TEST_CASE("connections that are served are nothing else") {
  std::vector<std::string> arguments = pool(2);
  const ServerOptions options = model(arguments, 2);
  ServerProcess server(arguments, options);
  for (unsigned i = 0; i < 20; ++i) CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 20; }));
  const auto total = server.service().total;
  CHECK(total.failed + total.peers_gone + total.timed_out + total.probes + total.aborted == 0);
}
