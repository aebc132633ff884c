// SPDX-License-Identifier: MIT
// threads-per-child: so many handlers at once in one child, and what the scoreboard and the pool make of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <set>
#include <thread>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const ServerOptions with_threads{.program = "brood-thread-test-server"};

std::vector<std::string> one_threaded_child(const std::string& threads, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--threads-per-child=" + threads, "--start-servers=1", "--min-spare-servers=1",
                           "--max-spare-servers=1", "--max-clients=1"});
  return more;
}

// Of all threads of the children, since these were started.
std::uint64_t wakes_of_threads(const ServerProcess& server) {
  std::uint64_t sum = 0;
  for (const pid_t child : server.children())
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(child) + "/task"))
      sum += std::stoull("0" + status_of(std::stoi(task.path().filename()), "voluntary_ctxt_switches"));
  return sum;
}

bool connections_add_up(const ServiceSnapshot& service) {
  return service.total.accepted == service.total.finished + service.total.aborted + service.open_connections;
}

}  // namespace

TEST_CASE("n handlers run at once in one child, each in a thread of its own, and the next one waits") {
  ServerProcess server(one_threaded_child("4"), with_threads);
  std::vector<Client> held;
  std::set<std::string> children, threads;
  for (int i = 0; i < 4; ++i) {
    held.push_back(server.connect());
    children.insert(held.back().ask("pid"));
    threads.insert(held.back().ask("thread"));
  }
  CHECK(children.size() == 1);
  CHECK(threads.size() == 4);
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 4 && service.spare == 0; }));
  Client waiting = server.connect();
  waiting.send("echo served\n");
  CHECK(server.wait_for_log("max-clients = 1 is reached"));
  CHECK(server.service().total.accepted == 4);
  held[2].close();
  CHECK(waiting.line() == "served");
  CHECK(held[0].ask("echo on") == "on");
  waiting.close();
  held.clear();
  CHECK(server.reaches([](const auto& service) {
    return service.total.finished == 5 && service.open_connections == 0 && service.spare == 1;
  }));
  CHECK(server.service().children_started == 1);
}

TEST_CASE("a child with a free thread is a spare; with all threads busy another child is started") {
  ServerProcess server({"--threads-per-child=3", "--start-servers=1", "--min-spare-servers=1",
                        "--max-spare-servers=2", "--max-clients=4"},
                       with_threads);
  auto held = server.hold(2);
  CHECK(stays([&] { return server.service().children_started == 1; }, 200ms));
  held.push_back(server.connect());
  held.back().child();
  CHECK(server.reaches([](const auto& service) { return service.children() == 2 && service.spare == 1; }));
  for (auto& client : server.hold(3)) held.push_back(std::move(client));
  CHECK(server.reaches([](const auto& service) {
    return service.children() == 3 && service.spare == 1 && service.open_connections == 6;
  }));
  std::set<pid_t> children;
  for (auto& client : held) children.insert(client.child());
  CHECK(children.size() == 2);
  // The surplus is told to leave, but no child with an open connection.
  held.erase(held.begin() + 1, held.end());
  CHECK(server.reaches([](const auto& service) { return service.children() == 2; }));
  CHECK(held.front().ask("echo still here") == "still here");
}

TEST_CASE("the row shows the oldest open connection, with its own note") {
  ServerProcess server(one_threaded_child("3"), with_threads);
  const auto note_is = [&](const std::string& note) {
    return server.reaches([&](const auto& service) { return service.slots.at(0).note == note; });
  };
  Client first = server.connect();
  CHECK(first.ask("note first") == "noted");
  Client second = server.connect();
  CHECK(second.ask("note second") == "noted");
  Client third = server.connect();
  CHECK(third.ask("note third") == "noted");
  CHECK(note_is("first"));
  const std::string peer_of_first = server.service().slots.at(0).peer;
  second.close();
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 2; }));
  CHECK(note_is("first"));
  first.close();
  CHECK(note_is("third"));
  CHECK(server.service().slots.at(0).peer != peer_of_first);
  Client fourth = server.connect();
  CHECK(fourth.ask("note fourth") == "noted");
  CHECK(note_is("third"));
  CHECK(third.ask("note changed") == "noted");
  CHECK(note_is("changed"));
}

TEST_CASE("the connections of the threads of a killed child are counted as aborted") {
  ServerProcess server({"--threads-per-child=5", "--start-servers=2", "--min-spare-servers=1"}, with_threads);
  for (int round = 1; round <= 5; ++round) {
    Load load(server.address(), 3);
    auto held = server.hold(3);
    const pid_t child = held.front().child();
    const auto mine = std::count_if(held.begin(), held.end(), [&](auto& c) { return c.child() == child; });
    CHECK(load.more_answers(50));
    load.stop();
    REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 3; }));
    const auto before = server.service().total.aborted;
    ::kill(child, SIGKILL);
    CHECK(held.front().ending() != Ending::timed_out);
    CHECK(server.reaches([&](const auto& service) {
      return service.total.aborted == before + static_cast<std::uint64_t>(mine) &&
             connections_add_up(service);
    }));
  }
}

TEST_CASE("an exception in one thread leaves the others alone") {
  ServerProcess server(one_threaded_child("4"), with_threads);
  auto held = server.hold(3);
  const pid_t child = held.front().child();
  for (int i = 0; i < 20; ++i) {
    Client client = server.connect();
    client.send("throw something is wrong\n");
    CHECK(client.ending() == Ending::closed);
  }
  for (auto& client : held) CHECK(client.child() == child);
  CHECK(server.reaches([](const auto& service) { return service.total.failed == 20; }));
  CHECK(server.service().children_gone == 0);
  CHECK(server.wait_for_log("something is wrong"));
}

TEST_CASE("a thread that is stuck beyond connection-timeout costs its child and all its connections") {
  ServerProcess server(one_threaded_child("3", {"--connection-timeout=2s"}), with_threads);
  Client stuck = server.connect();
  stuck.ask("note GET /spin");
  const pid_t child = stuck.child();
  stuck.send("spin\n");
  CHECK(server.connect().ask("echo beside it") == "beside it");
  CHECK(stuck.ending() == Ending::closed);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.wait_for_log("'GET /spin'"));
  CHECK(server.reaches([](const auto& service) {
    return service.connection_timeouts == 1 && service.total.aborted >= 1 && service.idle == 1 &&
           connections_add_up(service);
  }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("connections that each stay within connection-timeout are left alone, whatever they are together") {
  ServerProcess server(one_threaded_child("2", {"--connection-timeout=2s"}), with_threads);
  // There is always an open connection.
  Client last = server.connect();
  last.child();
  const auto until = std::chrono::steady_clock::now() + 4s;
  while (std::chrono::steady_clock::now() < until) {
    Client next = server.connect();
    CHECK(next.ask("hold 50") == "held");
    last = std::move(next);
  }
  CHECK(server.service().children_gone == 0);
  CHECK(server.service().connection_timeouts == 0);
}

TEST_CASE("max-requests-per-child counts what all threads of a child have accepted") {
  ServerProcess server({"--threads-per-child=4", "--start-servers=2", "--min-spare-servers=1",
                        "--max-spare-servers=3", "--max-clients=6", "--max-requests-per-child=25"},
                       with_threads);
  Load load(server.address(), 8);
  CHECK(load.more_answers(1500));
  CHECK(server.reaches([](const auto& service) { return service.children_gone >= 10; }));
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(counts_all(server, figures));
  CHECK(server.service().total.aborted == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("under load the figures add up") {
  ServerProcess server({"--threads-per-child=8", "--start-servers=2", "--min-spare-servers=1",
                        "--listen=127.0.0.1:0,name=second"},
                       with_threads);
  Load first(server.addresses().at(0), 6), second(server.addresses().at(1), 6);
  CHECK(first.more_answers(2000));
  CHECK(second.more_answers(2000));
  const auto answered = first.stop().answered + second.stop().answered;
  CHECK(first.figures().failed() + second.figures().failed() == 0);
  CHECK(server.reaches([&](const auto& service) {
    return service.total.finished == answered && service.total.accepted == answered &&
           service.open_connections == 0;
  }));
}

TEST_CASE("one connection wakes one thread of all that wait") {
  std::vector<std::string> arguments = pool(2);
  arguments.emplace_back("--threads-per-child=8");
  SUBCASE("one listener") {}
  SUBCASE("two listeners") { arguments.emplace_back("--listen=127.0.0.1:0"); }
  ServerProcess server(arguments, with_threads);
  CHECK(server.connect().ask("bye") == "bye");
  constexpr unsigned connections = 400;
  const std::uint64_t before = wakes_of_threads(server);
  for (unsigned i = 0; i < connections; ++i) CHECK(server.connect().ask("bye") == "bye");
  // The thread may also wait for the line; and now and then for another one.
  CHECK(wakes_of_threads(server) - before < connections * 5 / 2);
}

TEST_CASE("one connection wakes one thread of all event loops that wait") {
  std::vector<std::string> arguments = pool(2);
  arguments.emplace_back("--threads-per-child=8");
  ServerProcess server(arguments, {.program = "brood-event-test-server"});
  CHECK(server.connect().ask("echo hello") == "hello");
  std::vector<Client> idle;
  const std::uint64_t before = wakes_of_threads(server);
  for (unsigned i = 1; i <= 200; ++i) {  // one after another: several at once wake several
    idle.push_back(server.connect());
    CHECK(server.reaches([&](const auto& service) { return service.total.accepted == 1 + i; }));
  }
  CHECK(wakes_of_threads(server) - before < 200 * 7 / 4);
}

TEST_CASE("a connection that comes with its request wakes one thread of all event loops that wait") {
  std::vector<std::string> arguments = pool(2);
  arguments.insert(arguments.end(), {"--threads-per-child=8", "--tcp-defer-accept=5s"});
  ServerProcess server(arguments, {.program = "brood-event-test-server"});
  CHECK(server.connect().ask("echo hello") == "hello");
  std::vector<Client> idle;
  const std::uint64_t before = wakes_of_threads(server);
  for (unsigned i = 0; i < 200; ++i) {
    idle.push_back(server.connect());
    CHECK(idle.back().ask("echo hello") == "hello");
  }
  CHECK(wakes_of_threads(server) - before < 200 * 7 / 4);
}

TEST_CASE("threads of an event loop that is full each time leave no connection waiting") {
  std::vector<std::string> arguments = pool(1);
  arguments.insert(arguments.end(), {"--threads-per-child=4", "--max-connections-per-child=3"});
  SUBCASE("one listener") {}
  SUBCASE("two listeners") { arguments.emplace_back("--listen=127.0.0.1:0"); }
  const ServerProcess server(arguments, {.program = "brood-event-test-server"});
  for (int round = 0; round < 300; ++round) {
    // Nobody comes after these, so none of them could be found by chance.
    std::vector<Client> clients;
    for (int i = 0; i < 9; ++i) {
      clients.emplace_back(server.addresses().at(i % server.addresses().size()));
      clients.back().send("echo hello\n");
    }
    std::atomic<unsigned> answered = 0;
    std::vector<std::thread> threads;
    for (auto& client : clients)
      threads.emplace_back([&client, &answered] {
        try {
          if (client.line() == "hello") ++answered;
          client.close();
        } catch (const ClientError&) {  // it was not answered
        }
      });
    for (auto& thread : threads) thread.join();
    REQUIRE(answered == clients.size());
  }
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 2700; }));
}
