// SPDX-License-Identifier: MIT
// A service whose children run a program beside a service with code of its own: a failure of one does not
// reach the other.
#include <doctest/doctest.h>

#include <csignal>

#include "commanded.hpp"
#include "load.hpp"

using namespace brood;
using namespace brood::test;

namespace {

ServerOptions mixed(bool wait_ready = true) {
  return {.program = "brood-mixed-host", .listen = false, .wait_ready = wait_ready};
}

std::vector<std::string> settings(const std::string& command, const std::string& gets,
                                  const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {
      "--echo.listen=127.0.0.1:0", "--command.listen=127.0.0.1:0", "--start-servers=1",
      "--min-spare-servers=1",     "--command.command=" + command, "--command.command-gets=" + gets};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

TEST_CASE("both serve, each where it listens") {
  std::string command, gets;
  SUBCASE("slot") {
    command = program_path("brood-test-server");
    gets = "slot";
  }
  SUBCASE("listeners") {
    command = example_path("listen_fds.py");
    gets = "listeners";
  }
  SUBCASE("connection") {
    command = example_path("per_connection.sh");
    gets = "connection";
  }
  ServerProcess server(settings(command, gets), mixed());
  CHECK(Client(server.addresses().at(0)).ask("one") == "one");
  const bool test_server = gets == "slot";
  CHECK(Client(server.addresses().at(1)).ask(test_server ? "env BROOD_SERVICE" : "two") ==
        (test_server ? "command" : "two"));
}

TEST_CASE("a program that dies at once is started later and later, and the other service is not affected") {
  std::string gets;
  SUBCASE("slot") { gets = "slot"; }
  SUBCASE("listeners") { gets = "listeners"; }
  ServerProcess server(settings("/bin/true", gets), mixed(false));
  REQUIRE(server.wait_for_log("service command: children fail at once"));
  const auto snapshot = [&] { return Snapshot::read(server.directory() / "brood-mixed-host.scoreboard"); };
  const auto started = snapshot().services.at(0).children_started;
  REQUIRE(server.wait_for_log("the next one is started in 4s"));
  CHECK(snapshot().services.at(0).children_started == started);
  CHECK(snapshot().services.at(0).idle >= 1);
  CHECK(snapshot().services.at(1).children_started <= 8);  // three of them were replaced at once
}

TEST_CASE("a mistake is reported with its place in the section, and at a reload both services go on") {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& command) {
    write_file(directory / "conf",
               "start-servers = 1\nmin-spare-servers = 1\n[echo]\nlisten = 127.0.0.1:0\n"
               "[command]\nlisten = 127.0.0.1:0\ncommand = " +
                   command + "\n");
  };
  write(program_path("brood-test-server"));
  ServerProcess server({"--config=" + (directory / "conf")}, mixed());
  write("/nonexistent");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log(
      "conf:7: command.command = /nonexistent cannot be executed: /nonexistent: No such file"));
  CHECK(Client(server.addresses().at(0)).ask("one") == "one");
  CHECK(Client(server.addresses().at(1)).ask("word") == "none");
}
