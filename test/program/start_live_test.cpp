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
  CHECK(snapshot.recoveries == 0);
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

TEST_CASE("an exception in on_parent_start ends the start and is told") {
  ServerProcess server({"--refuse=no such table"}, that_will_not_start());
  CHECK(server.wait_exit() == exited(70));
  CHECK(server.standard_error().find("no such table") != std::string::npos);
  CHECK(server.log().find("no such table") != std::string::npos);
}

TEST_CASE("whatever on_parent_start throws ends the start with a word") {
  ServerProcess server({"--refuse=anything"}, that_will_not_start());
  CHECK(server.wait_exit() == exited(70));
  CHECK(server.standard_error().find("an exception that is no std::exception") != std::string::npos);
}

TEST_CASE("with runtime-directory none the scoreboard is anonymous and the server serves") {
  ServerProcess server({"--runtime-directory=none"}, {.runtime_directory = false});
  CHECK(server.scoreboard().empty());
  CHECK(server.connect().ask("echo hello") == "hello");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a runtime-directory that can't be made is told in the log and the server serves") {
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

TEST_CASE("a successor of the same name has the scoreboard's path, also when its predecessor ends after it") {
  ServerProcess first;
  ServerProcess second({"--runtime-directory=" + first.directory().path()}, {.runtime_directory = false});
  CHECK(second.scoreboard() == first.scoreboard());
  CHECK(second.wait_for_log("was that of process " + std::to_string(first.pid()) + ", which still runs"));
  CHECK(second.snapshot().parent_pid == second.pid());
  first.signal(SIGTERM);
  CHECK(first.wait_exit() == exited(0));
  CHECK(second.snapshot().parent_pid == second.pid());
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
