// SPDX-License-Identifier: MIT
// What programs and forked children write to standard output and error is in the log, and holds up nobody.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>

#include "commanded.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> one(const std::string& command, const std::string& gets,
                             const std::vector<std::string>& more = {}) {
  auto all = runs(command, gets, {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=3"});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string says(pid_t process, const std::string& line, const std::string& service = "brood-command-host") {
  return "service " + service + ": process " + std::to_string(process) + " says: " + line + "\n";
}

// Writes what it reads to standard error, and answers with its pid.
constexpr const char* talker = "while read line; do echo \"$line\" >&2; echo $$; done";

pid_t talk(Client& client, const std::string& line) {
  return static_cast<pid_t>(std::stol(client.ask(line)));
}

}  // namespace

TEST_CASE("a program that gets a connection has its errors in the log with its own pid") {
  const Script script(talker);
  ServerProcess server(one(script.path(), "connection"), host());
  Client client = server.connect();
  const pid_t program = talk(client, "first");
  talk(client, "second \x1b[2J");
  CHECK(server.wait_for_log(says(program, "first")));
  CHECK(server.wait_for_log(says(program, "second \\x1b[2J")));
  CHECK(server.standard_error().find("first") == std::string::npos);
}

TEST_CASE("a program that gets the listeners has its output and errors in the log") {
  const Script script("echo output; echo errors >&2; printf 'no end'; exec sleep 600");
  ServerProcess server(one(script.path(), "listeners"), host());
  const pid_t child = server.children().at(0);
  CHECK(server.wait_for_log(says(child, "output")));
  CHECK(server.wait_for_log(says(child, "errors")));
  CHECK(server.wait_for_log(says(child, "no end")));  // it waits for the rest for a second
  CHECK(rests(server.pid(), 300ms));
}

TEST_CASE("the last words of a child are logged before its end") {
  const Script script("printf 'no memory left' >&2; exit 9");
  ServerProcess server(one(script.path(), "listeners"), host_that_fails());
  CHECK(server.wait_for_log("says: no memory left\n"));
  CHECK(server.wait_for_log("exited with code 9"));
  const std::string log = server.log();
  CHECK(log.find("no memory left") < log.find("exited with code 9"));
}

TEST_CASE("what the C++ library says of a forked child that ends by an exception is in the log") {
  ServerProcess server({"--start-servers=1"});
  Client client = server.connect();
  const pid_t child = static_cast<pid_t>(std::stol(client.ask("pid")));
  client.send("terminate\n");
  CHECK(server.wait_for_log(says(child, "terminate called after throwing an instance of 'std::runtime_error'",
                                 "brood-test-server")));
  CHECK(server.wait_for_log(says(child, "  what():  no way out", "brood-test-server")));
}

TEST_CASE("a program that writes without end holds up nobody and is logged in part") {
  const Script script(
      "import os\n"
      "def flood():\n"
      "    while True:\n"
      "        try: os.write(2, b'too much\\n' * 500)\n"
      "        except BlockingIOError: pass\n"
      "if input() == 'flood': flood()\n"
      "print('hello')",
      python);
  ServerProcess server(one(script.path(), "connection"), host());
  const auto began = std::chrono::steady_clock::now();
  Client flood = server.connect();
  flood.send("flood\n");
  CHECK(server.wait_for_log("says: too much"));
  for (int i = 0; i < 5; ++i) CHECK(server.connect().ask("question") == "hello");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2; }));
  CHECK(server.wait_for_log("not logged: "));
  const auto lines = server.count_in_log("says: too much");
  const auto intervals = (std::chrono::steady_clock::now() - began) / std::chrono::seconds(10);
  CHECK(lines <= 1000 * (2 + static_cast<unsigned>(intervals)));
  server.signal(SIGINT);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a parent that is stopped or gone holds up no program and ends none") {
  const Script script(
      "read line; i=0; while test $i -lt 3000; do i=$((i+1));"
      " echo 'a line of one hundred bytes .................................................................' "
      ">&2;"
      " done 2>/dev/null; echo written; read line; echo end >&2; echo done");
  ServerProcess server(one(script.path(), "connection"), host());
  Client client = server.connect();
  SUBCASE("stopped") {
    server.signal(SIGSTOP);
    CHECK(client.ask("go") == "written");
    CHECK(client.ask("on") == "done");
    server.signal(SIGCONT);
  }
  SUBCASE("gone") {
    server.signal(SIGKILL);
    server.wait_exit();
    CHECK(client.ask("go") == "written");
    CHECK(client.ask("on") == "done");
  }
  SUBCASE("made blocking by the program") {
    const Script blocking(
        "import fcntl, os, sys\n"
        "sys.stdin.readline()\n"
        "fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) & ~os.O_NONBLOCK)\n"
        "try:\n"
        "    for i in range(1000): os.write(2, b'x' * 999 + b'\\n')\n"
        "except BlockingIOError:\n"
        "    pass\n"
        "print('written')",
        python);
    ServerProcess other(one(blocking.path(), "connection"), host());
    Client its = other.connect();
    other.signal(SIGSTOP);
    CHECK(its.ask("go") == "written");
    other.signal(SIGCONT);
  }
}

TEST_CASE("output keeps its place over an upgrade") {
  const Script script(
      "printf 'one line, ' >&2; read line <&0; while test -e ${0%/*}/wait; do sleep 0.1; done;"
      " echo 'in two parts' >&2; exec sleep 600");
  write_file(script.place("wait"), "");
  const std::string settings =
      "command = " + script.path() + "\ncommand-gets = listeners\nstart-servers = 1\ngraceful-timeout = 1m\n";
  Upgradeable upgradeable({}, settings, host());
  const pid_t child = upgradeable.server.children().at(0);
  REQUIRE(upgradeable.upgrade());
  std::filesystem::remove(script.place("wait"));
  CHECK(upgradeable.server.wait_for_log("process " + std::to_string(child) + " says: "));
  const std::string log = upgradeable.server.log();
  CHECK(log.find("one line, ") != std::string::npos);
  CHECK(upgradeable.server.wait_for_log("in two parts\n"));
}

TEST_CASE("a log that is standard error has lines of programs, and what children write as it is") {
  const TemporaryDirectory place;
  const std::string address = "unix:" + (place / "socket");
  const auto ready = [](const ServerProcess& server) {
    return eventually([&] { return server.standard_error().find("info: ready: ") != std::string::npos; });
  };
  ServerOptions options = host_that_fails();
  options.listen = options.log = false;
  std::string gets;
  SUBCASE("a program with the listeners") { gets = "listeners"; }
  SUBCASE("a program with a connection") { gets = "connection"; }
  SUBCASE("a child") {}
  if (!gets.empty()) {
    const Script script("echo here >&2; exec sleep 600");
    ServerProcess server(one(script.path(), gets, {"--listen=" + address}), options);
    REQUIRE(ready(server));
    const Client client(address);
    CHECK(eventually([&] { return server.standard_error().find("says: here\n") != std::string::npos; }));
  } else {
    options.program = "brood-test-server";
    ServerProcess server({"--start-servers=1", "--listen=" + address}, options);
    REQUIRE(ready(server));
    Client client(address);
    client.send("terminate\n");
    CHECK(
        eventually([&] { return server.standard_error().find("\nterminate called") != std::string::npos; }));
    CHECK(server.standard_error().find("says: ") == std::string::npos);
  }
}

TEST_CASE("log-output = no leaves output and errors where those of the parent are") {
  const Script script("echo here >&2; exec sleep 600");
  ServerProcess server(one(script.path(), "listeners", {"--log-output=no"}), host());
  CHECK(eventually([&] { return server.standard_error().find("here\n") != std::string::npos; }));
  CHECK(server.count_in_log("says: ") == 0);
}
