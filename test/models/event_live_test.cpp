// SPDX-License-Identifier: MIT
// An event loop in a child: many connections at once, how many, and for how long. All of it with one thread
// and with four.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <set>
#include <thread>
#include <utility>

#include "event_server.hpp"
#include "load.hpp"
#include "process_table.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> one_event_child(std::vector<std::string> more = {}) {
  more.insert(more.end(), {threads(), "--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                           "--max-clients=1"});
  return more;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t spare_memory = 512 * 1024;  // what was freed stays with the sanitizer for a while
#else
constexpr std::size_t spare_memory = 16 * 1024;
#endif

std::size_t memory_of(pid_t pid) {  // KiB
  return std::stoul(status_of(pid, "VmRSS"));
}

}  // namespace

TEST_CASE("a child has many connections at once, and each keeps what is its own") {
  ServerProcess server(one_event_child(), events);
  auto held = server.hold(500);
  CHECK(server.service().children_started == 1);
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 500 && service.spare == 1; }));
  for (std::size_t i = 0; i < held.size(); i += 7) {
    CHECK(held[i].ask("echo " + std::to_string(i)) == std::to_string(i));
    CHECK(held[i].ask("answered") == "3");
  }
  held.clear();
  CHECK(server.reaches([](const auto& service) {
    return service.open_connections == 0 && service.total.finished == 500 && service.total.failed == 0;
  }));
}

TEST_CASE("lines that come in pieces, and many in one piece") {
  ServerProcess server(one_event_child(), events);
  Client client = server.connect();
  for (const char letter : std::string("echo letter by letter\n")) {
    client.send(std::string(1, letter));
    std::this_thread::sleep_for(1ms);
  }
  CHECK(client.line() == "letter by letter");
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "echo " + std::to_string(i) + "\n";
  client.send(many);
  for (int i = 0; i < 3000; ++i) REQUIRE(client.line() == std::to_string(i));
}

TEST_CASE("a handler that takes one line a call, and a client that sends many in one piece") {
  ServerProcess server(one_event_child(), events);
  Client client = server.connect();
  CHECK(client.ask("one") == "one");
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "echo " + std::to_string(i) + "\n";
  client.send(many);
  for (int i = 0; i < 3000; ++i) REQUIRE(client.line() == std::to_string(i));
  CHECK(client.ask("answered") == "3002");
}

TEST_CASE("each child has timers of its own, which begin in on_child_start() and hold up no leaving") {
  ServerProcess server(one_event_child({"--tick"}), events);
  Client client = server.connect();
  const pid_t child = client.child();
  unsigned before = 0;
  for (int i = 0; i < 3; ++i)
    CHECK(eventually([&] {
      const auto now = static_cast<unsigned>(std::stoul(client.ask("ticks")));
      return now > std::exchange(before, now);
    }));
  client.close();
  server.signal(SIGHUP);
  CHECK(eventually([&] { return !is_alive(child); }));
  Client next = server.connect();
  CHECK(next.child() != child);
  CHECK(eventually([&] { return next.ask("ticks") != "0"; }));
}

TEST_CASE("the timers of many connections, some of which end before theirs") {
  ServerProcess server(one_event_child(), events);
  std::vector<Client> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(server.connect());
    clients.back().send("timer " + std::to_string(60 - i) + "\n");
    if (i % 3 == 0) clients.back().close();
    if (i % 3 == 1) clients.back().send("timer 3600000\ntimer 1\n");
  }
  for (int i = 0; i < 60; ++i)
    if (i % 3 != 0) CHECK(clients[i].line() == "time");
  CHECK(clients[1].ask("echo on") == "on");
  clients.clear();
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 60 && service.total.failed == 0; }));
}

TEST_CASE("the parent has no event loop to post to") {
  ServerOptions fails = events;
  fails.wait_ready = false;
  ServerProcess server(one_event_child({"--post-in-parent"}), fails);
  CHECK(server.wait_exit() == exited(70));
  CHECK((server.log() + server.standard_error()).find("outside a child") != std::string::npos);
}

TEST_CASE("a server that speaks first") {
  ServerProcess server(one_event_child({"--greeting=220 ready"}), events);
  Client client = server.connect();
  CHECK(client.line() == "220 ready");
  CHECK(client.ask("echo hello") == "hello");
}

TEST_CASE("a full child takes no more; another is started, and is used; below, the first one takes again") {
  ServerProcess server({threads(), "--max-connections-per-child=5", "--start-servers=1",
                        "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=3"},
                       events);
  auto held = server.hold(4);
  CHECK(stays([&] { return server.service().children_started == 1; }, 200ms));
  for (int i = 0; i < 11; ++i) {
    held.push_back(server.connect());
    held.back().child();
  }
  CHECK(server.reaches([](const auto& service) {
    return service.open_connections == 15 && service.spare == 0 && service.children() == 3;
  }));
  for (const auto& slot : server.service().slots) CHECK(slot.open_connections <= 5);
  Client waiting = server.connect();
  waiting.send("pid\n");
  CHECK(server.wait_for_log("max-clients = 3 is reached"));
  CHECK(server.service().total.accepted == 15);
  const pid_t child = held[7].child();
  held[7].close();
  CHECK(waiting.line() == std::to_string(child));
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 15 && service.spare == 0; }));
}

TEST_CASE("a child that has become full takes no wake-up from those that have room") {
  ServerProcess server({threads(), "--max-connections-per-child=2", "--start-servers=5",
                        "--min-spare-servers=1", "--max-spare-servers=5", "--max-clients=5"},
                       events);
  for (int round = 0; round < 40; ++round) {
    std::vector<Client> held;
    for (int i = 0; i < 10; ++i) {
      held.emplace_back(server.address());
      REQUIRE(held.back().ask("echo hello") == "hello");
    }
    held.clear();
    REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  }
}

TEST_CASE("a child never has more connections than max-connections-per-child") {
  ServerProcess server({threads(), "--max-connections-per-child=3", "--start-servers=2",
                        "--min-spare-servers=1", "--max-clients=4"},
                       events);
  std::uint32_t most = 0;
  Load load(server.address(), 24);
  for (int i = 0; i < 200; ++i) {
    CHECK(load.more_answers(20));
    for (const auto& slot : server.service().slots)
      most = std::max(most, slot.torn ? 0 : slot.open_connections);
  }
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(most <= 3);
  CHECK(counts_all(server, figures));
}

TEST_CASE("connections on which nothing happens are closed, others are not") {
  ServerProcess server(one_event_child({"--connection-idle-timeout=3s"}), events);
  Client silent = server.connect();
  Client half = server.connect();
  half.send("echo half");
  Client busy = server.connect();
  CHECK(eventually([&] {
    CHECK(busy.ask("echo busy") == "busy");
    return server.service().total.finished == 2;
  }));
  CHECK(silent.ending() == Ending::closed);
  CHECK(half.ending() == Ending::closed);
  CHECK(busy.ask("echo busy") == "busy");
  CHECK(server.service().total.failed == 0);
  CHECK(server.service().total.finished == 2);
  CHECK(busy.ending() == Ending::closed);
}

TEST_CASE("the time that a handler takes is no idle time") {
  ServerProcess server(one_event_child({"--connection-idle-timeout=1s"}), events);
  Client client = server.connect();
  for (int i = 0; i < 2; ++i) CHECK(client.ask("hold 1300") == "held");
  CHECK(client.ask("echo on") == "on");
}

TEST_CASE("a loop that was delayed closes no connection whose request came in that time") {
  ServerProcess server({"--connection-idle-timeout=1s", "--start-servers=1", "--min-spare-servers=1",
                        "--max-spare-servers=1", "--max-clients=1"},
                       events);
  auto held = server.hold(6);
  held[0].send("hold 2500\n");
  std::this_thread::sleep_for(1200ms);  // the timer is due, the requests come after it
  for (std::size_t i = 1; i < held.size(); ++i) held[i].send("echo in time\n");
  CHECK(held[0].line() == "held");
  for (std::size_t i = 1; i < held.size(); ++i) CHECK(held[i].line() == "in time");
}

TEST_CASE("connection-timeout closes the one connection, and the child lives") {
  ServerProcess server(one_event_child({"--connection-timeout=1s"}), events);
  Client old = server.connect();
  const pid_t child = old.child();
  bool closed = false;
  try {
    for (;;) {
      old.ask("echo I am not idle");
      std::this_thread::sleep_for(5ms);
    }
  } catch (const ClientError& error) {
    // What is sent after it was closed brings a reset.
    closed = error.ending() == Ending::closed || error.ending() == Ending::reset;
  }
  CHECK(closed);
  CHECK(server.reaches([](const auto& service) { return service.total.timed_out == 1; }));
  // By the loop, or by the handler's own reading, whichever comes first.
  CHECK(server.wait_for_log("connection-timeout"));
  CHECK(server.connect().child() == child);
  CHECK(server.service().connection_timeouts == 0);
}

TEST_CASE("a handler that is stuck is ended by the parent, with its child") {
  ServerProcess server(one_event_child({"--connection-timeout=1s"}), events);
  Client stuck = server.connect();
  stuck.ask("note GET /spin");
  const pid_t child = stuck.child();
  stuck.send("spin\n");
  CHECK(server.wait_for_log("'GET /spin'"));
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(stuck.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) {
    return service.connection_timeouts == 1 && service.total.aborted == 1 && service.idle == 1;
  }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a client that asks for much and reads nothing delays no other, and gets all of it in the end") {
  ServerProcess server(one_event_child(), events);
  Client greedy = server.connect();
  const pid_t child = greedy.child();
  constexpr std::size_t much = 50'000'000;
  const std::size_t before = memory_of(child);
  greedy.send("flood " + std::to_string(much) + "\necho after it\n");
  // Further questions are not read, let alone answered.
  for (int i = 0; i < 5; ++i) greedy.send("flood " + std::to_string(much) + "\n");
  for (int i = 0; i < 100; ++i) CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(memory_of(child) < before + 2 * much / 1024 + spare_memory);
  std::size_t got = 0;
  std::string rest;
  while (got < much) {
    const std::string some = greedy.receive_some();
    REQUIRE_FALSE(some.empty());
    const std::size_t wrong = some.find_first_not_of('x');
    got += std::min(some.size(), wrong);
    if (wrong != std::string::npos) {
      rest = some.substr(wrong);
      break;
    }
  }
  CHECK(got == much);
  while (rest.find('\n') == std::string::npos) rest += greedy.receive_some();
  CHECK(rest.substr(rest.find("after")).starts_with("after it\n"));
  greedy.abandon();
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  CHECK(server.connect().child() == child);
}

TEST_CASE("a client that asks without end and reads nothing fills no memory") {
  ServerProcess server(one_event_child({"--connection-idle-timeout=2s"}), events);
  const pid_t child = server.connect().child();
  Client greedy(server.address(), 300ms);
  const std::size_t before = memory_of(child);
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "echo " + std::string(200, 'y') + "\n";
  Ending ending = Ending::closed;
  try {
    for (int i = 0; i < 1000; ++i) greedy.send(lines);
  } catch (const ClientError& error) {
    ending = error.ending();
  }
  CHECK(ending == Ending::timed_out);  // the server reads no further
  CHECK(memory_of(child) < before + spare_memory);
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.reaches([](const auto& service) { return service.total.timed_out == 1; }));
}

TEST_CASE("a client that sends without end doesn't have the child to itself") {
  ServerProcess server(one_event_child(), events);
  std::atomic<bool> stop = false;
  std::thread greedy([&] {
    Client client = server.connect();
    std::string lines;
    while (lines.size() < 100'000) lines += "not answered\n";
    while (!stop) client.send(lines);
    client.send("echo the end\n");
    CHECK(client.line() == "the end");
  });
  for (int i = 0; i < 50; ++i) CHECK(server.connect().ask("echo hello") == "hello");
  stop = true;
  greedy.join();
}

TEST_CASE("a peer that has said all gets its answer") {
  ServerProcess server(one_event_child(), events);
  Client client = server.connect();
  client.send("echo one\necho two\nflood 3000000\necho the last, without an end");
  client.finish_sending();
  CHECK(client.line() == "one");
  CHECK(client.line() == "two");
  const std::string rest = client.until_end();
  CHECK(rest.size() == 3'000'000 + std::string("the last, without an end\n").size());
  CHECK(rest.ends_with("xthe last, without an end\n"));
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 1 && service.total.failed == 0; }));
}

TEST_CASE("input that is left unread at the end causes no reset, and delays no other") {
  ServerProcess server(one_event_child(), events);
  std::vector<Client> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(server.connect());
    clients.back().send("close\n" + std::string(200'000, 'z'));
  }
  for (auto& client : clients) CHECK(client.line() == "closing");
  // They linger for 2 seconds; no other connection waits for that.
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.service().total.finished < clients.size());
  for (auto& client : clients) CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  CHECK(server.service().total.failed == 0);
}

TEST_CASE("exceptions end their connection and nothing else") {
  ServerProcess server(one_event_child(), events);
  auto held = server.hold(10);
  const pid_t child = held.front().child();
  for (int i = 0; i < 50; ++i) {
    Client client = server.connect();
    client.send("throw something is wrong\necho not read\n");
    CHECK(client.ending() == Ending::closed);
  }
  for (auto& client : held) CHECK(client.child() == child);
  CHECK(server.reaches([](const auto& service) { return service.total.failed == 50; }));
  CHECK(server.service().children_gone == 0);
  Client endless = server.connect();
  endless.send(std::string(20'000, 'x'));
  CHECK(endless.ending() == Ending::closed);
}

TEST_CASE("a connection that a forked process still has is watched no more when it has ended") {
  ServerProcess server(one_event_child(), events);
  const pid_t child = server.children().at(0);
  // The descriptors that the child's epoll sets watch.
  const auto watched = [&] {
    const std::string process = "/proc/" + std::to_string(child);
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(process + "/fd")) {
      std::error_code gone;
      if (std::filesystem::read_symlink(entry, gone).string().find("[eventpoll]") == std::string::npos)
        continue;
      const std::string info = read_file(process + "/fdinfo/" + entry.path().filename().string());
      for (auto at = info.find("tfd:"); at != std::string::npos; at = info.find("tfd:", at + 1)) ++count;
    }
    return count;
  };
  const auto before = watched();
  Client client = server.connect();
  const pid_t forked = std::stoi(client.ask("fork"));
  // With threads it is watched after its first answer.
  CHECK(eventually([&] { return watched() == before + 1; }));
  client.send("close\n");
  CHECK(client.line() == "closing");
  client.abandon();
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  CHECK(watched() == before);
  ::kill(forked, SIGKILL);
  CHECK(server.connect().ask("echo on") == "on");
}
