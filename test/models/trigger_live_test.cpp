// SPDX-License-Identifier: MIT
// Triggers: each tick, each line, each byte wakes one child, and none is lost, torn or handled twice.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "process_table.hpp"
#include "server_process.hpp"
#include "triggered.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("each tick is handled by one child, and no other is woken for it") {
  TemporaryDirectory place;
  const std::string config = place / "conf";
  write_file(config, "listen = timer:20ms,name=clock\n");
  const auto began = std::chrono::steady_clock::now();
  Triggered triggered(pool(20) + std::vector<std::string>{"--config=" + config}, false);
  REQUIRE(triggered.server.reaches([](const auto& service) { return service.idle == 20; }));
  const auto children = triggered.server.children();
  const auto switches = switches_of(children);
  const auto before = triggered.records().size();
  REQUIRE(triggered.has_records(before + 50));
  CHECK(switches_of(children) - switches < (triggered.records().size() - before) * 8);
  // No more ticks come: all that were handled are counted.
  write_file(config, "listen = timer:1h\n");
  triggered.server.signal(SIGHUP);
  CHECK(triggered.server.wait_for_log("listener timer:20ms is drained and closed"));
  CHECK(triggered.server.reaches([&](const auto& service) {
    return service.open_connections == 0 && service.idle >= 1 && service.starting == 0 &&
           service.leaving == 0 && service.total.finished == triggered.records().size();
  }));
  const auto took = std::chrono::steady_clock::now() - began;
  std::uint64_t ticks = 0;
  for (const auto& record : triggered.records()) {
    CHECK(record.listener == "clock");
    ticks += 1 + record.missed;
  }
  CHECK(ticks <= static_cast<std::uint64_t>(took / 20ms) + 1);
  CHECK(triggered.server.service().total.failed == 0);
}

TEST_CASE("ticks that come while all children are busy are reported as missed, and not repeated") {
  TemporaryDirectory place;
  const std::string gate = place / "gate";
  const auto began = std::chrono::steady_clock::now();
  Triggered triggered(pool(1) + std::vector<std::string>{"--listen=timer:20ms", "--tick=wait " + gate},
                      false);
  REQUIRE(triggered.server.reaches([](const auto& service) { return service.busy == 1; }));
  const auto busy = std::chrono::steady_clock::now();
  CHECK(eventually([&] { return std::chrono::steady_clock::now() - busy > 500ms; }));
  std::ofstream(gate) << "open";
  REQUIRE(triggered.has_records(2));
  const auto records = triggered.records();
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(records[1].missed >= 20);
  std::uint64_t ticks = 0;
  for (const auto& record : records) ticks += 1 + record.missed;
  CHECK(ticks <= static_cast<std::uint64_t>(took / 20ms) + 1);
}

TEST_CASE("a reload leaves a timer alone whose line has not changed") {
  Triggered triggered({"--listen=timer:400ms"}, false);
  // A timer that began again each time would never go off.
  unsigned reloads = 0;
  CHECK(eventually([&] {
    triggered.server.signal(SIGHUP);
    ++reloads;
    eventually([&] { return triggered.server.count_in_log("reloaded: ") >= reloads; });
    std::this_thread::sleep_for(20ms);
    return !triggered.records().empty();
  }));
}

TEST_CASE("each line of several writers is handled once, and whole") {
  Triggered triggered({"--start-servers=8", "--min-spare-servers=4", "--max-clients=24"});
  Writers writers(triggered, 400);
  const std::size_t all = writers.stop();
  REQUIRE(triggered.has_records(all));
  const auto records = triggered.records();
  CHECK(writers.check(records) == all);
  std::set<pid_t> children;
  for (const auto& record : records) children.insert(record.pid);
  CHECK(children.size() > 1);
  CHECK(triggered.server.reaches(
      [&](const auto& service) { return service.total.finished == all && service.total.accepted == all; }));
}

TEST_CASE("children that are killed tear no line, and lose none but their own") {
  Triggered triggered({"--start-servers=8", "--min-spare-servers=8", "--max-clients=24"});
  Writers writers(triggered, 100);
  constexpr unsigned kills = 40;
  for (unsigned i = 0; i < kills; ++i) {
    // A proven child: replacements of others would be throttled.
    pid_t victim = 0;
    REQUIRE(triggered.server.reaches([&](const auto& service) {
      for (const auto& slot : service.slots)
        if (slot.state != SlotState::empty && slot.figures.finished > i % 7) victim = slot.pid;
      return victim != 0;
    }));
    const auto gone = triggered.server.service().children_gone;
    ::kill(victim, SIGKILL);
    REQUIRE(triggered.server.reaches([&](const auto& service) { return service.children_gone > gone; }));
  }
  const std::size_t all = writers.stop();
  REQUIRE(triggered.has_records(all - kills));
  CHECK(triggered.server.reaches([](const auto& service) { return service.open_connections == 0; }));
  CHECK(writers.check(triggered.records()) >= all - kills);
}

TEST_CASE("lines that come with one write() occupy as many children") {
  Triggered triggered(pool(6));
  REQUIRE(triggered.server.reaches([](const auto& service) { return service.idle == 6; }));
  std::string lines;
  for (int i = 0; i < 6; ++i) lines += "wait " + triggered.gate() + '\n';
  triggered.write(lines);
  CHECK(triggered.server.reaches([](const auto& service) { return service.busy == 6; }));
  for (const auto& slot : triggered.server.service().slots)
    if (slot.state == SlotState::busy) CHECK(slot.note == "door");
  triggered.open_gate();
  CHECK(triggered.has_records(6));
}

TEST_CASE("children are started while handlers are busy, and go when they are not") {
  Triggered triggered(
      {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4", "--max-clients=20"});
  for (int i = 0; i < 12; ++i) triggered.write("wait " + triggered.gate() + '\n');
  CHECK(
      triggered.server.reaches([](const auto& service) { return service.busy == 12 && service.idle >= 2; }));
  triggered.open_gate();
  CHECK(triggered.server.reaches(
      [](const auto& service) { return service.total.finished == 12 && service.idle <= 4; }));
}

TEST_CASE("with per=byte each byte is a trigger") {
  Triggered triggered({}, true, ",per=byte");
  std::string bytes;
  for (int i = 0; i < 260; ++i) bytes += static_cast<char>('a' + i % 26);
  triggered.write(bytes);
  REQUIRE(triggered.has_records(260));
  std::map<std::string, int> seen;
  for (const auto& record : triggered.records()) ++seen[record.text];
  CHECK(seen.size() == 26);
  for (const auto& [text, times] : seen) CHECK(times == 10);
  CHECK(triggered.server.reaches([](const auto& service) { return service.total.finished == 260; }));
}

TEST_CASE("a line without its newline is handled as well, and so is an empty one") {
  Triggered triggered;
  triggered.write("no newline");
  REQUIRE(triggered.has_records(1));
  CHECK(triggered.records().front().text == "no newline");
  triggered.write("\n");
  REQUIRE(triggered.has_records(2));
  CHECK(triggered.records().back().text.empty());
}

TEST_CASE("a child is replaced after its number of triggers, and each line is handled") {
  Triggered triggered(
      {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-requests-per-child=10"});
  std::size_t written = 0;
  CHECK(eventually([&] {
    for (int i = 0; i < 20; ++i) triggered.write("line " + std::to_string(written++) + '\n');
    return triggered.has_records(written) && triggered.server.service().children_gone >= 4;
  }));
  std::set<std::string> lines;
  for (const auto& record : triggered.records()) lines.insert(record.text);
  CHECK(lines.size() == written);
  CHECK(triggered.server.reaches([&](const auto& service) { return service.total.finished == written; }));
  CHECK(triggered.server.service().children_failed == 0);
}

TEST_CASE("reloads under load lose no line, and keep the FIFO") {
  Triggered triggered({"--start-servers=6", "--min-spare-servers=3", "--max-clients=20"});
  struct stat before {
  }, after{};
  REQUIRE(::stat(triggered.path().c_str(), &before) == 0);
  Writers writers(triggered, 100);
  for (unsigned i = 1; i <= 4; ++i) {
    triggered.server.signal(SIGHUP);
    CHECK(triggered.server.reaches([&](const auto& service) {
      return service.idle + service.busy > 0 &&
             std::all_of(service.slots.begin(), service.slots.end(), [&](const auto& slot) {
               return slot.state == SlotState::empty || slot.generation == i + 1;
             });
    }));
  }
  const std::size_t all = writers.stop();
  REQUIRE(triggered.has_records(all));
  CHECK(writers.check(triggered.records()) == all);
  REQUIRE(::stat(triggered.path().c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  CHECK(triggered.server.service().children_failed == 0);
}

TEST_CASE("SIGTERM lets the lines in the FIFO be handled, and removes its name") {
  Triggered triggered(pool(2));
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "hold 5\n";
  triggered.write(lines);
  triggered.server.signal(SIGTERM);
  CHECK(triggered.server.wait_exit() == exited(0));
  CHECK(triggered.records().size() == 40);
  CHECK_FALSE(std::filesystem::exists(triggered.path()));
}

TEST_CASE("an exception of a trigger handler is counted as failed and logged, and the child goes on") {
  Triggered triggered(pool(1));
  triggered.write("throw something is wrong\n");
  triggered.write("next\n");
  REQUIRE(triggered.has_records(1));
  CHECK(triggered.server.wait_for_log("trigger of door ended by an exception: something is wrong"));
  CHECK(triggered.server.reaches([](const auto& service) { return service.total.finished == 2; }));
  CHECK(triggered.server.service().total.failed == 1);
  CHECK(triggered.server.service().children_gone == 0);
}

TEST_CASE("a handler that hangs is ended by connection-timeout, and the log names its listener") {
  Triggered triggered(pool(2) + std::vector<std::string>{"--connection-timeout=1s"});
  triggered.write("spin\n");
  CHECK(triggered.server.wait_for_log("while serving trigger 'door' for"));
  CHECK(triggered.server.reaches([](const auto& service) {
    return service.connection_timeouts == 1 && service.total.aborted == 1 && service.idle >= 1;
  }));
  triggered.write("next\n");
  CHECK(triggered.has_records(1));
}

TEST_CASE("a FIFO that was left behind is reused, and anything else at its path is refused") {
  const TemporaryDirectory place;
  const std::string path = place / "fifo";
  const std::vector<std::string> arguments = {"--listen=fifo:" + path + ",mode=0600"};
  const auto refused = [&](const std::string& why) {
    ServerProcess server(arguments,
                         {.program = "brood-trigger-test-server", .listen = false, .wait_ready = false});
    CHECK(server.wait_exit() != exited(0));
    CHECK(server.standard_error().find(why) != std::string::npos);
  };
  write_file(path, "a file");
  refused("the path is not a FIFO");
  CHECK(read_file(path) == "a file");
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/etc/passwd", path);
  refused("the path is not a FIFO");
  std::filesystem::remove(path);

  REQUIRE(::mkfifo(path.c_str(), 0644) == 0);
  struct stat before {
  }, after{};
  REQUIRE(::stat(path.c_str(), &before) == 0);
  {
    const Descriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    refused("another process reads from it");
  }
  ServerProcess server(arguments, {.program = "brood-trigger-test-server", .listen = false});
  REQUIRE(::stat(path.c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  CHECK((after.st_mode & 07777) == 0600);
  CHECK(server.address() == "fifo:" + path);
  refused("another process reads from it");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("when the parent is killed its children leave, and the next server takes the FIFO over") {
  const TemporaryDirectory place;
  const std::string path = place / "fifo", out = place / "out", gate = place / "gate";
  const std::vector<std::string> arguments = {"--listen=fifo:" + path, "--listen=timer:1h", "--out=" + out};
  const ServerOptions options = {.program = "brood-trigger-test-server", .listen = false};
  const auto tell = [&](const std::string& text) {
    const Descriptor fifo(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    REQUIRE(::write(fifo.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  ServerProcess first(arguments, options);
  tell("wait " + gate + '\n');
  REQUIRE(first.reaches([](const auto& service) { return service.busy == 1; }));
  const auto children = first.children();
  const auto alive = [&] { return std::count_if(children.begin(), children.end(), is_alive); };
  first.signal(SIGKILL);
  CHECK(eventually([&] { return alive() == 1; }));  // the busy one goes on
  {
    ServerProcess second(arguments, options);
    tell("second\n");
    CHECK(eventually([&] { return read_file(out).find("second\n") != std::string::npos; }));
  }
  std::ofstream(gate) << "open";
  CHECK(eventually([&] { return alive() == 0; }));
  CHECK(read_file(out).find("wait ") != std::string::npos);
}

TEST_CASE("a server says which kind of listener it doesn't take") {
  const auto refused = [](const std::string& program, const std::string& listen, const std::string& why) {
    CAPTURE(program);
    ServerProcess server({"--listen=" + listen}, {.program = program, .listen = false, .wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK_MESSAGE(server.standard_error().find("listen = " + listen + " " + why) != std::string::npos,
                  server.standard_error());
  };
  refused("brood-test-server", "timer:30s", "brings triggers; this server takes connections");
  refused("brood-test-server", "udp:127.0.0.1:0", "brings datagrams; this server takes connections");
  refused("brood-trigger-test-server", "127.0.0.1:0", "brings connections; this server takes triggers");
  refused("brood-datagram-test-server", "fifo:/tmp/never-made",
          "brings triggers; this server takes datagrams");
}

TEST_CASE("a child that serves triggers stops itself, and lives on without its slot") {
  Triggered it(pool(1));
  const pid_t first = it.server.children().at(0);
  it.write("stop\n");
  REQUIRE(it.has_records(1));
  CHECK(eventually([first] { return !is_alive(first); }));
  it.write("detach " + it.gate() + "\n");
  // max-clients = 1: no other child until it is done.
  REQUIRE(it.server.reaches([](const auto& service) { return service.detached == 1; }));
  it.write("after\n");
  it.open_gate();
  REQUIRE(it.has_records(3));
  const auto records = it.records();
  CHECK(records.at(1).pid != first);
  CHECK(records.at(2).text == "after");
  CHECK(records.at(2).pid != records.at(1).pid);
  CHECK(it.server.reaches([](const auto& service) {
    return service.detached == 0 && service.children_failed == 0 && service.total.finished == 3;
  }));
}
