// SPDX-License-Identifier: MIT
// Programs that serve one connection each, as inetd runs them.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "commanded.hpp"
#include "load.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::vector<std::string> few = {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4"};

std::vector<std::string> serves(const std::string& command, const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = few;
  all.insert(all.end(), more.begin(), more.end());
  return runs(command, "connection", all);
}

// Answers its pid first, then echoes.
constexpr const char* echo = "echo $$; exec cat";

pid_t pid_from(Client& client) { return static_cast<pid_t>(std::stol(client.line())); }

}  // namespace

TEST_CASE("it serves, and its pid is in the note of the child's row") {
  const Script script(echo);
  ServerProcess server(serves(script.path()), host());
  Client client = server.connect();
  const pid_t program = pid_from(client);
  CHECK(client.ask("hello") == "hello");
  const auto children = server.children();
  CHECK(std::ranges::count(children, parent_of(program)) == 1);
  CHECK(server.reaches([&](const auto& service) {
    return service.busy == 1 && std::ranges::any_of(service.slots, [&](const auto& slot) {
             return slot.note == "pid " + std::to_string(program);
           });
  }));
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) {
    return service.busy == 0 && service.total.finished == 1 && service.total.failed == 0;
  }));
}

TEST_CASE("the example echoes, and knows its client") {
  ServerProcess server(serves(example_path("per_connection.sh")), host());
  Client client = server.connect();
  CHECK(client.ask("a  b\\c") == "a  b\\c");
  CHECK(client.ask("who") == "127.0.0.1");
  client.send("bye\n");
  CHECK(client.ending() == Ending::closed);
}

TEST_CASE("its environment describes the connection") {
  const Script script(
      "echo \"$PROTO $TCPLOCALIP:$TCPLOCALPORT $TCPREMOTEIP:$TCPREMOTEPORT $BROOD_SERVICE $BROOD_LISTENER\"\n"
      "echo \"$TCP6LOCALIP $TCP6REMOTEIP $UNIXLOCALPATH $UNIXREMOTEEUID $UNIXREMOTEPID\"");
  const TemporaryDirectory directory;
  const std::string path = directory / "socket";
  // As if tcpserver had started the server.
  const auto stale = [] { ::setenv("TCPREMOTEIP", "203.0.113.9", 1); };
  ServerProcess server(serves(script.path(), {"--listen=127.0.0.1:0,name=four", "--listen=[::1]:0,name=six",
                                              "--listen=unix:" + path + ",name=local"}),
                       {.program = "brood-command-host", .listen = false, .in_process = stale});
  Client four(server.addresses().at(0)), six(server.addresses().at(1)), local("unix:" + path);
  const std::string of_four = four.line();
  CHECK(of_four.starts_with("TCP " + server.addresses().at(0) + " 127.0.0.1:"));
  CHECK(of_four.ends_with(" brood-command-host four"));
  const std::string of_six = six.line();
  CHECK(of_six.starts_with("TCP6 ::1:"));
  CHECK(of_six.ends_with(" six"));
  CHECK(six.line().starts_with("::1 ::1"));
  CHECK(local.line() == "UNIX : : brood-command-host local");
  CHECK(local.line() == "  " + path + " " + std::to_string(::geteuid()) + " " + std::to_string(::getpid()));
}

TEST_CASE("it has the connection as its input and output, and standard error, and nothing else") {
  const Script script("echo $$; exec sleep 600");
  ServerProcess server(serves(script.path()), host());
  Client client = server.connect();
  const pid_t program = pid_from(client);
  REQUIRE(eventually([&] { return program_of(program).find("sleep") != std::string::npos; }));
  // Its loader has libraries open for a moment.
  REQUIRE(eventually([&] { return open_in(program).size() == 3; }));
  auto open = open_in(program);
  std::ranges::sort(open);
  CHECK(open.at(0).second.starts_with("socket:"));
  CHECK(open.at(0).second == open.at(1).second);
  CHECK(is_empty_set(read_file("/proc/" + std::to_string(program) + "/status"), "SigBlk"));
  CHECK(is_empty_set(read_file("/proc/" + std::to_string(program) + "/status"), "SigIgn"));
}

TEST_CASE("a program that fails is logged, and its connection counts as failed") {
  const Script script("read line; case $line in exit*) $line;; kill) kill -SEGV $$;; esac");
  ServerProcess server(serves(script.path()), host());
  server.connect().send("exit 0\n");
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  CHECK(server.service().total.failed == 0);
  server.connect().send("exit 3\n");
  CHECK(server.wait_for_log("command " + script.path() + " exited with code 3"));
  server.connect().send("kill\n");
  CHECK(server.wait_for_log("command " + script.path() + " was killed by signal 11"));
  CHECK(server.reaches([](const auto& service) {
    return service.total.finished == 3 && service.total.failed == 2 && service.children_failed == 0;
  }));
}

TEST_CASE("success-codes are the exit codes with which a connection has not failed") {
  const Script script("read code; exit $code");
  ServerProcess server(serves(script.path(), {"--success-codes=7", "--success-codes=255"}), host());
  for (const char* const code : {"7\n", "255\n", "0\n"}) {
    Client client = server.connect();
    client.send(code);
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 3 && service.total.failed == 1; }));
  CHECK(server.count_in_log("exited with code 0") == 1);
}

TEST_CASE("caps, a reload and a stop under load lose no connection and interrupt none") {
  const Script script("exec cat");
  ServerProcess server(serves(script.path(), {"--max-requests-per-child=10"}), host());
  Client held = server.connect();
  CHECK(held.ask("held") == "held");
  Load load(server.address(), 3, "load", "load");
  CHECK(load.more_answers(60));
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.children_gone >= 4; }));
  CHECK(load.more_answers(60));
  server.signal(SIGTERM);
  CHECK(server.wait_for_log("stopping"));
  CHECK(held.ask("still held") == "still held");
  held.close();
  CHECK(server.wait_exit() == exited(0));
  CHECK(load.stop().lost() == 0);
  CHECK(server.count_in_log("warning") == 0);
}

TEST_CASE("a program that is replaced is run from the next connection on") {
  Script script("echo old");
  ServerProcess server(serves(script.path()), host());
  CHECK(server.connect().line() == "old");
  script.write("echo new");
  CHECK(server.connect().line() == "new");
}

TEST_CASE(
    "a missing program costs the connection, is logged, and stops the service at the next start of a child") {
  Script script("exec cat");
  ServerProcess server(serves(script.path()), host());
  CHECK(server.connect().ask("hello") == "hello");
  std::filesystem::remove(script.path());
  CHECK(server.connect().ending() == Ending::closed);
  CHECK(server.wait_for_log("run command " + script.path() + ": No such file or directory"));
  CHECK(server.reaches([](const auto& service) { return service.total.failed == 1; }));
  script.write("exec cat");
  CHECK(server.connect().ask("hello") == "hello");
  std::filesystem::remove(script.path());
  for (const pid_t child : server.children()) ::kill(child, SIGKILL);
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.wait_for_log("configuration can't work"));
}

TEST_CASE("it is killed with its child, by connection-timeout or from outside") {
  const Script script("trap '' TERM ABRT; echo $$; while :; do sleep 1; done");
  SUBCASE("connection-timeout") {
    ServerProcess server(serves(script.path(), {"--connection-timeout=2s"}), host());
    Client client = server.connect();
    const pid_t program = pid_from(client);
    CHECK(eventually([&] { return !is_alive(program); }));
    CHECK(server.wait_for_log("'pid " + std::to_string(program) + "'"));
    CHECK(server.reaches([](const auto& service) { return service.connection_timeouts == 1; }));
  }
  SUBCASE("SIGKILL") {
    ServerProcess server(serves(script.path()), host());
    Client client = server.connect();
    const pid_t program = pid_from(client);
    ::kill(parent_of(program), SIGKILL);
    CHECK(eventually([&] { return !is_alive(program); }));
    CHECK(server.reaches([](const auto& service) { return service.total.aborted == 1; }));
  }
}

TEST_CASE("without the parent it serves its connection to the end, then its child leaves") {
  const Script script(echo);
  ServerProcess server(serves(script.path()), host());
  Client client = server.connect();
  const pid_t program = pid_from(client), child = parent_of(program);
  server.signal(SIGKILL);
  server.wait_exit();
  CHECK(client.ask("on") == "on");
  CHECK(is_alive(child));
  client.close();
  CHECK(eventually([&] { return !is_alive(program) && !is_alive(child); }));
}

TEST_CASE("with threads a child runs several at once") {
  const Script script(echo);
  ServerProcess server(runs(script.path(), "connection",
                            {"--start-servers=1", "--min-spare-servers=1", "--threads-per-child=4"}),
                       host());
  std::vector<Client> clients;
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.connect());
    children.push_back(parent_of(pid_from(clients.back())));
  }
  CHECK(std::ranges::count(children, children.front()) == 3);
  server.signal(SIGTERM);
  for (auto& client : clients) CHECK(client.ask("on") == "on");
  clients.clear();
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a program that ends at once with what it says fails each connection, and no child") {
  const Script script("exit 9");
  ServerProcess server(serves(script.path()), host());
  for (int i = 0; i < 5; ++i) CHECK(server.connect().ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) { return service.total.failed == 5; }));
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("connections only: datagrams are refused") {
  ServerProcess server(serves("/bin/cat", {"--listen=udp:127.0.0.1:0"}),
                       {.program = "brood-command-host", .listen = false, .wait_ready = false});
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.standard_error().find("brings datagrams; this server takes connections") != std::string::npos);
}
