// SPDX-License-Identifier: MIT
// first-byte-timeout, in each child model: a client that sends nothing is disconnected, and one that has sent
// something is not.
#include <doctest/doctest.h>

#include "models.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("a client that sends nothing is disconnected, and counts as beyond a time limit") {
  std::vector<std::string> arguments = {"--first-byte-timeout=300ms", "--log-level=info"};
  const ServerOptions options = model(arguments);
  const ServerProcess server(arguments, options);
  Client silent = server.connect();
  CHECK(silent.ending() == Ending::closed);
  CHECK(server.wait_for_log("first-byte-timeout: "));
  CHECK(server.reaches([](const auto& service) {
    return service.total.finished == 1 && service.total.timed_out == 1 && service.open_connections == 0;
  }));
  CHECK(server.service().total.probes == 0);
  CHECK(server.service().total.failed == 0);
  CHECK(server.count_in_log("SIGABRT") == 0);
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a client that has sent a byte in time may take its time with the next one") {
  std::vector<std::string> arguments = {"--first-byte-timeout=4s"};
  const ServerOptions options = model(arguments);
  const ServerProcess server(arguments, options);
  Client quick = server.connect();
  quick.send("e");
  REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 1; }));
  // Its time ends later than that of the first one would.
  CHECK(server.connect().ending() == Ending::closed);
  quick.send("cho hello\n");
  CHECK(quick.line() == "hello");
  CHECK(quick.ask("echo again") == "again");
}

TEST_CASE("without the setting a silent client is waited for") {
  std::vector<std::string> arguments = {"--first-byte-timeout=0"};
  const ServerOptions options = model(arguments);
  const ServerProcess server(arguments, options);
  Client silent = server.connect();
  CHECK(stays([&] { return server.reaches([](const auto& its) { return its.open_connections == 1; }); },
              500ms));
  CHECK(silent.ask("echo hello") == "hello");
}
