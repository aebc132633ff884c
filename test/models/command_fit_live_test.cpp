// SPDX-License-Identifier: MIT
// Which programs can take which slot. The parent does not know what work a program accepts, and whether it
// may run threads: if the slot does not fit, the parent's log says so.
#include <doctest/doctest.h>

#include <csignal>

#include "commanded.hpp"
#include "root.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::vector<std::string> one_spare = {"--start-servers=1", "--min-spare-servers=1"};

std::vector<std::string> slot(const std::string& command, std::vector<std::string> more = {}) {
  more.insert(more.begin(), one_spare.begin(), one_spare.end());
  return runs(program_path(command), "slot", more);
}

// The service is stopped, and as it is the only one, so is the server.
void refuses(const std::vector<std::string>& settings, const std::string& message, bool listen = true) {
  ServerOptions options = host_that_fails();
  options.listen = listen;
  ServerProcess server(settings, options);
  CHECK(server.wait_for_log(message));
  CHECK(server.wait_exit() == exited(78));
}

}  // namespace

TEST_CASE("the parent sets the number of threads, and the program permits them") {
  SUBCASE("it can") {
    ServerProcess server(slot("brood-thread-test-server", {"--threads-per-child=3"}), host());
    Client first = server.connect(), second = server.connect();
    CHECK(first.ask("pid") == second.ask("pid"));
    CHECK(first.ask("thread") != second.ask("thread"));
  }
  SUBCASE("it can't") {
    refuses(slot("brood-test-server", {"--threads-per-child=2"}),
            "threads-per-child = 2: this program's handlers can't run in threads");
  }
}

TEST_CASE("a program with an event loop has as many connections as the parent says") {
  ServerProcess server(slot("brood-event-test-server", {"--max-connections-per-child=2"}), host());
  Client first = server.connect(), second = server.connect();
  CHECK(first.ask("pid") == second.ask("pid"));
  Client third = server.connect();
  CHECK(third.ask("pid") != first.ask("pid"));
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 3; }));
  server.signal(SIGTERM);
  CHECK(first.ask("echo still") == "still");
}

TEST_CASE("programs that take something else than connections do, and no other") {
  const ServerOptions no_listener = {.program = "brood-command-host", .listen = false};
  SUBCASE("a timer's ticks") {
    ServerProcess server(slot("brood-trigger-test-server", {"--listen=timer:20ms"}), no_listener);
    CHECK(server.reaches([](const auto& service) { return service.total.finished >= 3; }));
  }
  SUBCASE("datagrams") {
    ServerProcess server(slot("brood-datagram-test-server", {"--listen=udp:127.0.0.1:0"}), no_listener);
    CHECK(server.address().starts_with("udp:"));
  }
  SUBCASE("datagrams for a program that takes connections") {
    refuses(slot("brood-test-server", {"--listen=udp:127.0.0.1:0"}),
            "brings datagrams; this server takes connections", false);
  }
  SUBCASE("connections for a program that takes triggers") {
    refuses(slot("brood-trigger-test-server"), "brings connections; this server takes triggers");
  }
}

TEST_CASE("of a program with several services it is the one of the parent's name") {
  SUBCASE("there is one") {
    ServerProcess server(slot("brood-two-test-servers --left.word=L --right.word=R", {"--name=right"}),
                         host());
    CHECK(server.connect().ask("word") == "R");
  }
  SUBCASE("there is none") {
    refuses(slot("brood-two-test-servers", {"--name=middle"}), "none of them is middle");
  }
}

TEST_CASE("a mistake in the program's own settings stops the service") {
  refuses(slot("brood-test-server --wort=x"), "unknown option 'wort'; did you mean 'word'?");
}

TEST_CASE("a program whose command-gets was forgotten or is wrong is named with what it may need") {
  const Script script("exit 1");
  std::string gets;
  SUBCASE("slot") { gets = "slot"; }
  SUBCASE("listeners") { gets = "listeners"; }
  ServerProcess server(runs(script.path(), gets, {"--start-servers=1"}), host_that_fails());
  CHECK(server.wait_for_log("set command-gets = connection"));
  CHECK(server.wait_for_log("children fail at once; the next one is started in 2s"));
  CHECK(server.count_in_log("set command-gets = connection") == 1);
}

TEST_CASE("a program that runs programs is no child") {
  refuses(slot("brood-command-host --command=/bin/true"), "name its own command");
}

TEST_CASE("a command that can't be run is reported with its place, and nothing starts") {
  const TemporaryDirectory directory;
  write_file(directory / "plain", "");
  for (const auto& [command, wrong] : {std::pair<std::string, std::string>{"", "names no program"},
                                       {"echo hello", "does not begin with an absolute path"},
                                       {"/nonexistent/program", "No such file or directory"},
                                       {directory.path(), "Is a directory"},
                                       {directory / "plain", "Permission denied"},
                                       {"/bin/true 'x", "quote that is not closed"},
                                       {"/bin/true x\\", "ends with a backslash"}}) {
    CAPTURE(command);
    write_file(directory / "conf", "listen = 127.0.0.1:0\ncommand = " + command + "\n");
    ServerProcess server({"--config=" + (directory / "conf")}, host_that_fails());
    CHECK(server.wait_exit() == exited(78));
    const std::string errors = server.standard_error();
    CHECK(errors.find(wrong) != std::string::npos);
    CHECK(errors.find("conf:2: command = " + command) != std::string::npos);
  }
}

TEST_CASE("a command that can't be run at a reload changes nothing") {
  const TemporaryDirectory directory;
  const std::string good =
      "start-servers = 1\nmin-spare-servers = 1\ncommand = " + program_path("brood-test-server");
  write_file(directory / "conf", good + "\n");
  ServerProcess server({"--config=" + (directory / "conf")}, host());
  write_file(directory / "conf", "command = /nonexistent/program\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("conf:1: command = /nonexistent/program cannot be executed"));
  CHECK(server.wait_for_log("reload refused"));
  CHECK(server.connect().ask("word") == "none");
  write_file(directory / "conf", good + " --word=changed\n");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return server.connect().ask("word") == "changed"; }));
}

TEST_CASE("one that can't be executed any more stops the service, with what failed on what") {
  Script script("exec sleep 60");
  std::string gets;
  SUBCASE("slot") { gets = "slot"; }
  SUBCASE("listeners") { gets = "listeners"; }
  write_file(script.place("bad"), "#!/nonexistent/interpreter\n");
  std::filesystem::permissions(script.place("bad"), std::filesystem::perms::owner_all);
  refuses(runs(script.place("bad"), gets, one_spare),
          "run command " + script.place("bad") + ": No such file or directory");
}

TEST_CASE("with user, it is that user, and logs where the parent does") {
  if (skipped_without_root()) return;
  const TemporaryDirectory directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  std::filesystem::copy_file(program_path("brood-test-server"), directory / "program");
  ServerProcess server(runs(directory / "program", "slot", {"--user=nobody", "--start-servers=1"}), host());
  Client client = server.connect();
  CHECK(client.ask("log from nobody") == "logged");
  CHECK(server.wait_for_log("from nobody"));
  const pid_t child = client.child();
  CHECK(status_of(child, "Uid") == "65534\t65534\t65534\t65534");
  CHECK(status_of(child, "Gid") == "65534\t65534\t65534\t65534");
  CHECK(std::stoull(status_of(child, "CapPrm"), nullptr, 16) == 0);
  // A change of user clears PR_SET_PDEATHSIG.
  client.close();
  server.signal(SIGKILL);
  server.wait_exit();
  CHECK(eventually([&] { return !is_alive(child); }));
}
