// SPDX-License-Identifier: MIT
// A program built with the kit that takes a slot of another program's parent: a child like any other.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "commanded.hpp"
#include "load.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> test_servers(const std::vector<std::string>& more = {},
                                      const std::string& arguments = "") {
  return runs(program_path("brood-test-server") + arguments, "slot", more);
}

const std::vector<std::string> few_slots = {"--start-servers=2", "--min-spare-servers=2",
                                            "--max-spare-servers=4"};

std::vector<std::string> few_and(const std::vector<std::string>& more) {
  std::vector<std::string> all = few_slots;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

TEST_CASE("it serves, and its row says what it does") {
  ServerProcess server(test_servers(few_slots), host());
  Client client = server.connect();
  CHECK(client.ask("echo hello") == "hello");
  CHECK(client.ask("note GET /here") == "noted");
  const pid_t child = client.child();
  CHECK(program_of(child) == program_path("brood-test-server"));
  CHECK(parent_of(child) == server.pid());
  CHECK(server.reaches([&](const auto& service) {
    return service.busy == 1 && std::ranges::any_of(service.slots, [&](const auto& slot) {
             return slot.pid == child && slot.note == "GET /here" && slot.capacity == 1 &&
                    slot.open_connections == 1;
           });
  }));
  client.close();
  CHECK(server.reaches([](const auto& service) {
    return service.busy == 0 && service.total.accepted == 1 && service.total.finished == 1 &&
           service.total.bytes_read > 0 && service.total.latency_at(1).count() > 0;
  }));
}

TEST_CASE("its own settings are read, and those of the kit are the parent's") {
  ServerProcess server(
      test_servers(few_slots, " --word='two words' --start-servers=40 --listen=127.0.0.1:1 --user=root"),
      host());
  CHECK(server.connect().ask("word") == "two words");
  CHECK(server.connect().ask("listener") == server.address());
  CHECK(server.service().children() <= 4);
}

TEST_CASE("it has no more descriptors than a forked child, and no trace of the handover in its environment") {
  ServerProcess server(test_servers(few_slots), host());
  const ServerProcess forked(few_slots);
  Client client = server.connect();
  Client of_forked = forked.connect();
  CHECK(client.ask("env BROOD_CHILD") == "unset");
  CHECK(client.ask("env BROOD_SERVICE") == "brood-command-host");
  const auto open = open_in(client.child());
  CHECK(open.size() <= open_in(of_forked.child()).size());
  for (const auto& [number, what] : open) {
    CAPTURE(what);
    for (const char* closed : {".scoreboard", "memfd:", "signalfd"})
      CHECK(what.find(closed) == std::string::npos);
  }
}

TEST_CASE("caps replace it, and nothing is lost") {
  ServerProcess server(test_servers(few_and({"--max-requests-per-child=5"})), host());
  Load load(server.address(), 3);
  CHECK(load.more_answers(100));
  CHECK(server.reaches([](const auto& service) { return service.children_gone >= 10; }));
  CHECK(load.stop().failed() == 0);
  CHECK(server.service().total.aborted == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("a reload starts the file that is there now, and a stop ends all, and neither loses a connection") {
  const TemporaryDirectory directory;
  const std::string program = directory / "program";
  const auto install = [&] {
    std::filesystem::copy_file(program_path("brood-test-server"), directory / "new");
    std::filesystem::rename(directory / "new", program);
  };
  install();
  ServerProcess server(runs(program, "slot", few_slots), host());
  Load load(server.address(), 3);
  CHECK(load.more_answers(50));
  const auto before = server.children();
  install();
  server.signal(SIGHUP);
  CHECK(eventually([&] {
    const auto now = server.children();
    return now.size() >= 2 && std::ranges::all_of(now, [&](pid_t child) {
             return std::ranges::count(before, child) == 0 && program_of(child) == program;
           });
  }));
  CHECK(load.more_answers(50));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  const LoadFigures figures = load.stop();
  CHECK(figures.lost() == 0);
}

TEST_CASE("a crash costs the open connection, and another child takes its place") {
  ServerProcess server(test_servers(few_slots), host());
  Client client = server.connect();
  client.ask("echo hello");
  client.send("crash\n");
  CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) {
    return service.total.aborted == 1 && service.children_failed == 1 && service.idle >= 2;
  }));
  CHECK(server.connect().ask("echo on") == "on");
}

TEST_CASE("a slot program that ends at once is started later and later, also with exit code 0") {
  const TemporaryDirectory directory;
  std::string order;
  SUBCASE("exit 0") { order = "exit 0"; }
  SUBCASE("exit 70") { order = "exit 70"; }
  SUBCASE("a crash") { order = "crash"; }
  SUBCASE("an exception in on_child_start") { order = "throw no"; }
  write_file(directory / "order", order + "\n");
  ServerProcess server(test_servers(few_slots, " --child-start=" + (directory / "order")), host_that_fails());
  CHECK(server.wait_for_log("children fail at once; the next one is started in"));
  write_file(directory / "order", "\n");
  server.wait_ready();
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.service().children_started <= 8);
}

TEST_CASE("an exception in on_parent_start ends a child, and is in the parent's log") {
  ServerProcess server(test_servers(few_slots, " --refuse='no table'"), host_that_fails());
  CHECK(server.wait_for_log("on_parent_start: no table"));
  CHECK(server.wait_for_log("children fail at once"));
}

TEST_CASE("without its parent it finishes its connection and exits") {
  ServerProcess server(test_servers(few_slots), host());
  check_orphans_leave(server, "echo still here", "still here");
}

TEST_CASE("one whose parent ends while it starts is gone") {
  const Script script("sleep 0.5; exec " + program_path("brood-test-server"));
  ServerProcess server(runs(script.path(), "slot", {"--start-servers=1", "--min-spare-servers=1"}),
                       host_that_fails());
  REQUIRE(eventually([&] { return !server.children().empty(); }));
  const pid_t child = server.children().front();
  SUBCASE("and with its parent it serves, though another program has handed it on") {
    server.wait_ready();
    CHECK(server.connect().child() == child);
  }
  SUBCASE("without it") {
    server.signal(SIGKILL);
    server.wait_exit();
    CHECK(eventually([&] { return !is_alive(child); }));
  }
}

TEST_CASE("a stopped one is no spare") {
  ServerProcess server(test_servers(few_slots), host());
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2; }));
  const pid_t child = server.children().front();
  ::kill(child, SIGSTOP);
  CHECK(server.reaches([](const auto& service) { return service.stopped == 1 && service.children() == 3; }));
  ::kill(child, SIGCONT);
  CHECK(server.reaches([](const auto& service) { return service.stopped == 0; }));
}

TEST_CASE("a connection that takes too long ends it") {
  ServerProcess server(test_servers(few_and({"--connection-timeout=1s"})), host());
  Client client = server.connect();
  client.send("note spinning\nspin\n");
  CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) { return service.connection_timeouts == 1; }));
  CHECK(server.wait_for_log("'spinning'"));
}

TEST_CASE("on demand: the first connection starts one, and idle-timeout lets it go") {
  ServerProcess server(test_servers({"--start-servers=0", "--min-spare-servers=0", "--max-spare-servers=2",
                                     "--idle-timeout=500ms"}),
                       host());
  CHECK(server.service().children_started == 0);
  for (int i = 0; i < 2; ++i) {
    CHECK(server.connect().ask("echo hello") == "hello");
    CHECK(server.reaches([](const auto& service) { return service.children() == 0; }));
  }
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("its log is the parent's, as whom it may be, and after a rotation the new one") {
  ServerProcess server(test_servers(few_slots, " --log=/nonexistent/log --log-level=debug"), host());
  CHECK(server.connect().ask("log first line") == "logged");
  CHECK(server.wait_for_log("first line"));
  std::filesystem::rename(server.log_path(), server.log_path() + ".1");
  server.signal(SIGUSR1);
  CHECK(eventually([&] { return std::filesystem::exists(server.log_path()); }));
  CHECK(eventually([&] {
    server.connect().ask("log second line");
    return server.count_in_log("second line") > 0;
  }));
}
