// SPDX-License-Identifier: MIT
// A program of the kit as a child under `brood`: what a forked child may do it may do, too. And what is run
// when children of each kind fail.
#include <algorithm>

#include "brood_directory.hpp"
#include "broodctl.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::string test_server(const Directory& directory, const std::string& arguments = "",
                        const std::string& more = "") {
  return "command = " + program_path("brood-test-server") + arguments +
         "\ncommand-gets = slot\nlisten = " + directory.address("test_server") + "\n" + more;
}

bool ends(pid_t pid) {
  return eventually([&] { return !is_alive(pid); });
}

bool reaches(const ServerProcess& server, const std::string& service,
             const std::function<bool(const ServiceSnapshot&)>& condition) {
  return eventually([&] {
    const auto found = find_service(server, service);
    return found && condition(*found);
  });
}

}  // namespace

TEST_CASE("a program in a slot detaches: its place is taken, and it ends in its own time") {
  const Directory directory(one_child);
  directory.write("test_server", test_server(directory, "", "detach-timeout = 10m\n"));
  const ServerProcess server(in(directory), brood_options());
  Client client(directory.address("test_server"));
  const pid_t child = client.child();
  REQUIRE(client.ask("detach") == "detached");
  CHECK(reaches(server, "test_server", [](const auto& its) { return its.detached == 1 && its.idle >= 1; }));
  CHECK(client.ask("echo on") == "on");
  CHECK(std::ranges::count(pids_of(server, "test_server"), child) == 0);
  SUBCASE("when it is done") {}
  SUBCASE("over a reload of its service") {
    CHECK(ask(server, "reload test_server").code == 0);
    CHECK(client.ask("echo on") == "on");
  }
  SUBCASE("over an upgrade") {
    CHECK(ask(server, "upgrade").code == 0);
    CHECK(client.ask("echo on") == "on");
  }
  client.close();
  CHECK(ends(child));
  CHECK(reaches(server, "test_server", [](const auto& its) { return its.detached == 0; }));
  CHECK(find_service(server, "test_server")->children_failed == 0);
}

TEST_CASE("a program in a slot that is detached for too long is ended, and on-failure is run") {
  const Directory directory(one_child);
  const std::string told = directory.path() + "/told";
  write_file(directory.path() + "/tell", "#!/bin/sh\necho \"$BROOD_SERVICE ${BROOD_SLOT:-none}\" > " + told);
  std::filesystem::permissions(directory.path() + "/tell", std::filesystem::perms(0755));
  directory.write(
      "test_server",
      test_server(directory, "", "detach-timeout = 1s\non-failure = " + directory.path() + "/tell\n"));
  const ServerProcess server(in(directory), brood_options());
  Client client(directory.address("test_server"));
  const pid_t child = client.child();
  REQUIRE(client.ask("detach") == "detached");
  CHECK(client.ending() == Ending::closed);
  CHECK(ends(child));
  CHECK(eventually([&] { return read_file(told) == "test_server none\n"; }));
}

TEST_CASE("a program in a slot stops itself after its connection, and hears that it leaves") {
  const Directory directory(one_child);
  directory.write("test_server", test_server(directory, " --child-leaving=hold"));
  const ServerProcess server(in(directory), brood_options());
  Client client(directory.address("test_server"));
  const pid_t child = client.child();
  REQUIRE(client.ask("stop") == "stopping");
  CHECK(client.ask("echo on") == "on");
  client.close();
  CHECK(ends(child));
  CHECK(server.wait_for_log("child " + std::to_string(child) + " hears that it leaves"));
  CHECK(server.wait_for_log("child " + std::to_string(child) + " has held"));
  CHECK(Client(directory.address("test_server")).ask("echo next") == "next");
  CHECK(find_service(server, "test_server")->children_failed == 0);
}

TEST_CASE("a program in a slot whose leaving hook hangs is ended after leave-timeout") {
  const Directory directory(one_child);
  directory.write("test_server", test_server(directory, " --child-leaving=hang", "leave-timeout = 300ms\n"));
  const ServerProcess server(in(directory), brood_options());
  const pid_t child = Client(directory.address("test_server")).child();
  const CtlAnswer answer = ask(server, "restart test_server");
  CHECK_MESSAGE(answer.code == 0, answer.text);
  CHECK_FALSE(is_alive(child));
  CHECK(Client(directory.address("test_server")).ask("echo next") == "next");
}

// What reads by itself is ended with its child.
TEST_CASE("connection-timeout ends a connection of each kind of child but those that report nothing") {
  const Directory directory(std::string(one_child) + "connection-timeout = 1s\n");
  directory.write("test_server", test_server(directory));
  directory.write("shell", "command = /bin/cat\ncommand-gets = connection\nlisten = " +
                               directory.address("shell") + "\n");
  directory.add_unix("echo");
  const ServerProcess server(in(directory), brood_options());
  for (const auto& [service, question] :
       {std::pair{"test_server", "echo one"}, {"shell", "one"}, {"echo", "one"}}) {
    CAPTURE(service);
    Client client(directory.address(service));
    CHECK(client.ask(question) == "one");
    CHECK(client.ending() != Ending::timed_out);
    CHECK(reaches(server, service,
                  [&](const auto& its) { return its.connection_timeouts + its.total.timed_out == 1; }));
    CHECK(Client(directory.address(service)).ask(question) == "one");
  }
}

TEST_CASE("idle children of each kind go after idle-timeout, and come again") {
  const Directory directory(
      "start-servers = 0\nmin-spare-servers = 0\nmax-spare-servers = 2\nidle-timeout = 500ms\n");
  directory.write("test_server", test_server(directory));
  directory.write("shell", "command = /bin/cat\ncommand-gets = connection\nlisten = " +
                               directory.address("shell") + "\n");
  const ServerProcess server(in(directory), brood_options());
  for (int i = 0; i < 2; ++i) {
    CHECK(Client(directory.address("test_server")).ask("echo one") == "one");
    CHECK(Client(directory.address("shell")).ask("one") == "one");
    CHECK(eventually([&] { return server.children().empty(); }));
  }
  for (const char* service : {"test_server", "shell"})
    CHECK(find_service(server, service)->children_failed == 0);
}

TEST_CASE("on-failure is run for children of each kind") {
  const Directory directory(one_child);
  const std::string told = directory.path() + "/told";
  write_file(directory.path() + "/tell",
             "#!/bin/sh\necho \"$BROOD_CHILD_PID $BROOD_SIGNAL_NAME\" > " + told + ".$BROOD_SERVICE\n");
  std::filesystem::permissions(directory.path() + "/tell", std::filesystem::perms(0755));
  const std::string on_failure = "on-failure = " + directory.path() + "/tell\n";
  directory.write("test_server", test_server(directory, "", on_failure));
  directory.write("shell", "command = /bin/cat\ncommand-gets = connection\nlisten = " +
                               directory.address("shell") + "\n" + on_failure);
  directory.write("python", "command = " + example_path("listen_fds.py") +
                                "\ncommand-gets = listeners\nlisten = " + directory.address("python") + "\n" +
                                on_failure);
  directory.add_unix("echo", on_failure);
  const ServerProcess server(in(directory), brood_options());
  for (const char* service : {"test_server", "shell", "python", "echo"}) {
    CAPTURE(service);
    REQUIRE(eventually([&] { return !pids_of(server, service).empty(); }));
    const pid_t child = pids_of(server, service).at(0);
    ::kill(child, SIGKILL);
    CHECK(
        eventually([&] { return read_file(told + "." + service) == std::to_string(child) + " SIGKILL\n"; }));
  }
}
