// SPDX-License-Identifier: MIT
// From the command to the first answer: what a server logs and shows at the start, and why one does not
// start.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>

#include "brood/error.hpp"
#include "broodctl.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

ServerOptions that_will_not_start() { return {.wait_ready = false}; }

}  // namespace

TEST_CASE("the ready line names service, address, pid and scoreboard") {
  ServerProcess server;
  CHECK(server.addresses().size() == 1);
  CHECK(server.address().starts_with("127.0.0.1:"));
  CHECK(server.address() != "127.0.0.1:0");
  CHECK(server.ready_line().find("ready: brood-test-server on ") == 0);
  CHECK(server.ready_line().find(", pid " + std::to_string(server.pid()) + ",") != std::string::npos);
  CHECK(std::filesystem::exists(server.scoreboard()));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("the echo example answers with its pid and what it was sent") {
  ServerProcess server({}, {.program = "echo"});
  Client client = server.connect();
  client.send("hello\n");
  const std::string answer = client.line();
  const auto children = server.children();
  CHECK(answer.ends_with(": hello"));
  CHECK(std::count(children.begin(), children.end(), std::stoi(answer)) == 1);
}

TEST_CASE("start-servers children are started and each stands on the scoreboard") {
  ServerProcess server(
      {"--start-servers=7", "--min-spare-servers=3", "--max-spare-servers=8", "--max-clients=20"});
  // A child may serve before the parent has come back from fork() and counted it.
  REQUIRE(
      server.reaches([](const auto& service) { return service.idle == 7 && service.children_started == 7; }));
  const Snapshot snapshot = server.snapshot();
  const ServiceSnapshot& service = snapshot.services.at(0);
  CHECK(snapshot.name == "brood-test-server");
  CHECK(snapshot.parent_pid == server.pid());
  CHECK(snapshot.parent_alive);
  CHECK_FALSE(snapshot.stopping);
  CHECK(service.recoveries == 0);
  CHECK(service.start_servers == 7);
  CHECK(service.min_spare_servers == 3);
  CHECK(service.max_spare_servers == 8);
  CHECK(service.max_clients == 20);
  CHECK(service.generation == 1);
  CHECK(service.listeners == server.address());
  CHECK(service.children_started == 7);
  CHECK(service.children_gone == 0);
  CHECK(sums_hold(service));

  std::set<pid_t> on_table;
  for (const auto& slot : service.slots) {
    if (slot.state == SlotState::empty) continue;
    CHECK(slot.state == SlotState::idle);
    CHECK(slot.incarnation == 1);
    CHECK(slot.open_connections == 0);
    on_table.insert(slot.pid);
  }
  const auto children = server.children();
  CHECK(on_table == std::set<pid_t>(children.begin(), children.end()));
}

TEST_CASE("a connection is seen on the scoreboard with its child, peer and note, and its figures are kept") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=1"});
  Client client = server.connect();
  const pid_t child = client.child();
  const std::string peer = client.ask("peer");
  CHECK(client.ask("note GET /x") == "noted");
  ServiceSnapshot service = server.service();
  CHECK(service.busy == 1);
  CHECK(service.open_connections == 1);
  const auto row = std::find_if(service.slots.begin(), service.slots.end(),
                                [&](const auto& slot) { return slot.state == SlotState::busy; });
  REQUIRE(row != service.slots.end());
  CHECK(row->pid == child);
  CHECK(row->peer == peer);
  CHECK(row->note == "GET /x");
  CHECK(row->open_connections == 1);
  CHECK(row->busy_for.count() > 0);
  CHECK(client.ask("note " + std::string(100, 'n')) == "noted");
  CHECK(client.ask("local") == server.address());

  client.close();
  REQUIRE(
      server.reaches([](const auto& now) { return now.open_connections == 0 && now.total.finished == 1; }));
  service = server.service();
  CHECK(service.total.accepted == 1);
  CHECK(service.total.failed == 0);
  CHECK(service.total.aborted == 0);
  CHECK(service.total.bytes_read > 0);
  CHECK(service.total.bytes_written > 0);
  std::uint64_t durations = 0;
  for (const auto count : service.total.latency) durations += count;
  CHECK(durations == 1);
}

TEST_CASE("a note is cut at its size and control characters in it are escaped for the reader") {
  ServerProcess server;
  Client client = server.connect();
  CHECK(client.ask("note \x1b[2J" + std::string(100, 'n')) == "noted");
  for (const auto& slot : server.service().slots)
    if (slot.state == SlotState::busy) {
      CHECK(slot.note.starts_with("\\x1b[2J"));
      CHECK(slot.note.size() == note_size + 3);  // one byte became four
    }
}

TEST_CASE("what a client sends can't forge a line of the log") {
  ServerProcess server;
  Client client = server.connect();
  CHECK(client.ask("log innocent\r2099-01-01 error: forged") == "logged");
  CHECK(server.wait_for_log("innocent\\x0d2099-01-01 error: forged"));
}

TEST_CASE("nothing is left behind after a stop") {
  ServerProcess server({}, {});
  server.connect().ask("echo hello");
  const std::string scoreboard = server.scoreboard();
  const auto children = server.children();
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(std::filesystem::exists(scoreboard));
  for (const pid_t child : children) CHECK_FALSE(is_alive(child));
  CHECK(server.count_in_log("stopped") == 1);
}

TEST_CASE("a port that is taken ends the start and is named") {
  ServerProcess first;
  ServerProcess second({"--listen=" + first.address()}, {.listen = false, .wait_ready = false});
  const auto end = second.wait_exit();
  REQUIRE(end);
  CHECK(end->code != 0);
  CHECK(second.standard_error().find(first.address() + ": Address already in use") != std::string::npos);
  CHECK(second.log().find("not started: ") != std::string::npos);
  CHECK(first.connect().ask("echo still here") == "still here");
}

TEST_CASE("an exception in on_parent_start ends the start, and is reported with the name of the hook") {
  ServerProcess server({"--refuse=no such table"}, that_will_not_start());
  CHECK(server.wait_exit() == exited(70));
  CHECK(server.standard_error() == "on_parent_start: no such table\n");
  CHECK(server.log().find("not started: on_parent_start: no such table") != std::string::npos);
}

TEST_CASE("an Error in on_parent_start keeps its exit code, and of several services the one is named") {
  const TemporaryDirectory directory;
  write_file(directory / "order", "throw-configuration no table");
  ServerOptions options = that_will_not_start();
  options.listen = false;
  options.program = "brood-two-test-servers";
  ServerProcess server({"--left.listen=127.0.0.1:0", "--right.listen=127.0.0.1:0",
                        "--right.parent-start=" + (directory / "order")},
                       options);
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.standard_error() == "service right: on_parent_start: no table\n");
}

TEST_CASE("whatever on_parent_start throws ends the start with a word") {
  ServerProcess server({"--refuse=anything"}, that_will_not_start());
  CHECK(server.wait_exit() == exited(70));
  CHECK(server.standard_error().find("on_parent_start: an exception that is no std::exception") !=
        std::string::npos);
}

TEST_CASE("with runtime-directory none the scoreboard is anonymous and the server serves") {
  ServerProcess server({"--runtime-directory=none"}, {.runtime_directory = false});
  CHECK(server.scoreboard().empty());
  CHECK(server.connect().ask("echo hello") == "hello");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a runtime-directory that can't be made is reported in the log, and the server serves") {
  ServerProcess server({"--runtime-directory=/proc/no/such/place"}, {.runtime_directory = false});
  CHECK(server.scoreboard().empty());
  CHECK(server.log().find("runtime-directory /proc/no/such/place") != std::string::npos);
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a runtime-directory of somebody else's is not used") {
  if (skipped_without_root()) return;
  const TemporaryDirectory elsewhere;
  REQUIRE(::chown(elsewhere.path().c_str(), 65534, 65534) == 0);
  ServerProcess server({"--runtime-directory=" + elsewhere.path()}, {.runtime_directory = false});
  CHECK(server.scoreboard().empty());
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a second server of the same name does not start, and the first one does not notice") {
  std::vector<std::string> listens;
  ServerOptions options;
  SUBCASE("a program with one service") {}
  SUBCASE("a program with several services") {
    options = {.program = "brood-two-test-servers", .listen = false};
    listens = {"--left.listen=127.0.0.1:0", "--right.listen=127.0.0.1:0"};
  }
  ServerProcess first(listens, options);
  const auto second_fails_over = [&](const std::string& path) {
    auto arguments = listens;
    arguments.push_back("--runtime-directory=" + first.directory().path());
    ServerOptions again = options;
    again.runtime_directory = again.wait_ready = false;
    ServerProcess second(arguments, again);
    CHECK(second.wait_exit() == exited(78));
    CHECK(second.standard_error().find(" already runs, as process " + std::to_string(first.pid()) +
                                       ", and uses " + path + ": stop that one first") != std::string::npos);
  };
  const std::string lock = std::filesystem::path(first.scoreboard()).replace_extension("lock");
  second_fails_over(lock);
  // Without its file it is found by what else it has.
  std::filesystem::rename(lock, lock + ".moved");
  second_fails_over(first.scoreboard());
  CHECK(first.snapshot().parent_pid == first.pid());
  CHECK(ask(first, "reload").code == 0);
  std::filesystem::rename(lock, lock + ".moved");  // it was made again
  std::filesystem::rename(first.scoreboard(), first.scoreboard() + ".moved");
  second_fails_over(std::filesystem::path(first.scoreboard()).replace_extension("control"));
  std::filesystem::rename(first.scoreboard() + ".moved", first.scoreboard());
  std::filesystem::rename(lock + ".moved", lock);
  CHECK(ask(first, "reload").code == 0);
  CHECK(first.log().find("control socket") == std::string::npos);
}

TEST_CASE("a successor of a server that is stopping has its names, also when its predecessor ends after it") {
  ServerProcess first;
  auto held = first.hold(1);
  first.signal(SIGTERM);
  REQUIRE(eventually([&] { return first.snapshot().stopping; }));
  ServerProcess second({"--runtime-directory=" + first.directory().path()}, {.runtime_directory = false});
  CHECK(second.scoreboard() == first.scoreboard());
  CHECK(second.wait_for_log("was that of process " + std::to_string(first.pid()) + ", which is stopping"));
  CHECK(second.snapshot().parent_pid == second.pid());
  held.clear();
  CHECK(first.wait_exit() == exited(0));
  CHECK(second.snapshot().parent_pid == second.pid());
  CHECK(ask(second, "reload").code == 0);
  CHECK(second.connect().ask("echo hello") == "hello");
  CHECK(second.reaches([](const auto& service) { return service.total.finished == 1; }));
}

TEST_CASE("the scoreboard's file is for its owner alone to write") {
  ServerProcess server;
  struct stat status {};
  REQUIRE(::stat(server.scoreboard().c_str(), &status) == 0);
  CHECK((status.st_mode & 022) == 0);
  CHECK(status.st_uid == ::geteuid());
}

TEST_CASE("an address that becomes free while a server starts is taken") {
  auto first = std::make_unique<ServerProcess>();
  const std::string listen = "--listen=" + first->address();
  ServerProcess second({listen}, {.listen = false, .wait_ready = false});
  // It holds its name already, and looks for the address.
  CHECK(eventually([&] { return process_state(second.pid()) == 'S'; }));
  CHECK(!second.is_ready());
  first.reset();
  CHECK(eventually([&] { return second.is_ready() || !second.running(); }));
  CHECK(second.is_ready());
}
