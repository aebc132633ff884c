// SPDX-License-Identifier: MIT
// example/patterns: each of them answers right, in order, under reloads, and stops as told.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

using Words = std::vector<std::string>;

struct Pattern {
  std::string name;
  Words settings;
};

// Those that answer lines. Each with few children, and few threads or workers.
const std::vector<Pattern> patterns = {
    {"blocking", {"--threads-per-child=3"}},
    {"reactor", {}},
    {"proactor", {}},
    {"emulated_proactor", {"--workers=3"}},
    {"half_sync_half_async", {"--threads-per-child=3"}},
    {"half_sync_half_reactive", {"--threads-per-child=3"}},
    {"half_sync_half_reactive", {"--threads-per-child=2", "--queue=1"}},
    {"leader_followers", {}},
    {"choice", {"--choice=random"}},
    {"choice", {"--choice=round-robin"}},
    {"choice", {"--choice=least-loaded"}},
    {"choice", {"--choice=shared-queue"}},
    {"timers", {"--timers=wheel"}},
    {"timers", {"--timers=heap"}},
    {"one_source", {}},
    {"shared_memory", {}},
    {"buffer_pool", {}},
};

ServerOptions program(const std::string& name) { return {.program = "patterns/" + name}; }

std::string describe(const Pattern& pattern) {
  return pattern.name + (pattern.settings.empty() ? "" : " " + pattern.settings.back());
}

Words two_children(Words settings) {
  for (const char* const one : {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2"})
    settings.emplace_back(one);
  return settings;
}

// The hash of protocol.hpp, for 1000 rounds.
std::string hash_of_1000() {
  std::uint64_t value = 14695981039346656037U;
  for (std::uint64_t i = 0; i < 1000; ++i) value = (value ^ (i & 0xffU)) * 1099511628211U;
  return std::to_string(value);
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  REQUIRE(pipe != nullptr);
  std::string text(4000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe.get()));
  return text;
}

}  // namespace

TEST_CASE("each pattern answers what was asked, in order") {
  for (const auto& pattern : patterns) {
    CAPTURE(describe(pattern));
    ServerProcess server(two_children(pattern.settings), program(pattern.name));
    Client client = server.connect();
    CHECK(client.ask("hello") == "hello");
    CHECK(client.ask("work 1000") == hash_of_1000());
    CHECK(client.ask("work") == "work");
    CHECK(client.ask("wait 1") == "wait 1");
    std::string many;
    for (int i = 0; i < 200; ++i) many += (i % 20 == 0 ? "wait 1\n" : std::to_string(i) + "\n");
    client.send(many);
    for (int i = 0; i < 200; ++i) CHECK(client.line() == (i % 20 == 0 ? "wait 1" : std::to_string(i)));
    client.send("in two ");
    client.send("pieces\nlast\n");
    client.finish_sending();
    CHECK(client.line() == "in two pieces");
    CHECK(client.line() == "last");
    CHECK(client.ending() == Ending::closed);
  }
}

TEST_CASE("no pattern loses a connection when its children are replaced under load") {
  for (const auto& pattern : patterns) {
    CAPTURE(describe(pattern));
    Words settings = two_children(pattern.settings);
    settings.emplace_back("--max-requests-per-child=300");
    ServerProcess server(settings, program(pattern.name));
    Load load(server.address(), 6, "work 1000", hash_of_1000());
    for (int round = 0; round < 5; ++round) {
      server.signal(SIGHUP);
      CHECK(load.more_answers(100));
    }
    const LoadFigures figures = load.stop();
    CHECK(figures.failed() == 0);
    CHECK(counts_all(server, figures));
    CHECK(server.service().total.aborted == 0);
    CHECK(server.service().children_failed == 0);
  }
}

TEST_CASE("each pattern answers what waits when it is told to stop, closes what is idle, and ends") {
  for (const auto& pattern : patterns) {
    CAPTURE(describe(pattern));
    ServerProcess server(two_children(pattern.settings), program(pattern.name));
    Client idle = server.connect();
    CHECK(idle.ask("hello") == "hello");
    std::vector<Client> asked;
    for (int i = 0; i < 2; ++i) {
      asked.push_back(server.connect());
      asked.back().send("wait 50\n");
    }
    const auto children = server.children();
    server.signal(SIGTERM);
    for (auto& client : asked) CHECK(client.line() == "wait 50");
    asked.clear();
    if (pattern.name == "blocking") idle.close();  // a process waits for its client
    CHECK(server.wait_exit() == exited(0));
    CHECK(server.count_in_log("killed") == 0);
    CHECK(std::none_of(children.begin(), children.end(), is_alive));
  }
}

TEST_CASE("a pattern with workers serves many connections with few threads") {
  for (const auto& pattern : patterns) {
    if (pattern.name == "blocking") continue;
    CAPTURE(describe(pattern));
    Words settings = two_children(pattern.settings);
    if (pattern.name == "buffer_pool") settings.emplace_back("--buffers=1");
    ServerProcess server(settings, program(pattern.name));
    std::vector<Client> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(server.connect());
    for (int round = 0; round < 3; ++round) {
      for (auto& client : clients) client.send("hello\n");
      for (auto& client : clients) CHECK(client.line() == "hello");
    }
  }
}

// What the stress clients of the literature do: 1,000 connections repeat one request, and whatever comes is
// an answer.
TEST_CASE("1,000 connections repeat one request on each pattern, and none is lost") {
  for (const auto& pattern : patterns) {
    if (pattern.name == "blocking") continue;
    CAPTURE(describe(pattern));
    Words settings = two_children(pattern.settings);
    settings.emplace_back("--max-connections-per-child=1000");
    if (pattern.name == "buffer_pool") settings.emplace_back("--buffers=1000");
    ServerProcess server(settings, program(pattern.name));
    const std::string load = program_path("brood-load") + " " + server.address() +
                             " --concurrency 1000 --keep-alive --requests 3000 --timeout 60 ";
    const std::string right = output_of(load + "--payload hello --expect hello");
    CHECK_MESSAGE(right.find(" 3000 right, 0 wrong, 0 refused, 0 lost\n") != std::string::npos, right);
    const std::string stress = output_of(load +
                                         "--answer any --request 'GET http://localhost/index.html HTTP/1.1"
                                         "\\r\\nConnection: keep-alive\\r\\n\\r\\nxxxxxxxxxxxx'");
    CHECK_MESSAGE(stress.find(" 3000 right, 0 wrong, 0 refused, 0 lost\n") != std::string::npos, stress);
  }
}

TEST_CASE("the wheel and the heap end who is idle, and nobody else") {
  for (const std::string kind : {"wheel", "heap"}) {
    CAPTURE(kind);
    ServerProcess server({"--timers=" + kind, "--idle=300ms", "--max-clients=1", "--start-servers=1",
                          "--min-spare-servers=1", "--max-spare-servers=1"},
                         program("timers"));
    std::vector<Client> idle;
    for (int i = 0; i < 20; ++i) idle.push_back(server.connect());
    for (auto& client : idle) CHECK(client.ending() == Ending::closed);
    Client busy = server.connect();
    CHECK(busy.ask("restart 1000").ends_with(" ns"));
    CHECK(busy.ask("restart 0") == "0.000000 ns");
    Client gone = server.connect();
    CHECK(gone.ask("hello") == "hello");
    gone.close();
    CHECK(busy.ending() == Ending::closed);
    CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
    CHECK(server.service().children_failed == 0);
  }
}

TEST_CASE("signals and ticks come through the loop of one_source") {
  ServerProcess server(
      {"--max-clients=1", "--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1"},
      program("one_source"));
  Client client = server.connect();
  CHECK(client.ask("count").starts_with("0 signals, "));
  for (const pid_t child : server.children()) {
    ::kill(child, SIGRTMIN);
    ::kill(child, SIGRTMIN);
  }
  CHECK(eventually([&] { return client.ask("count").starts_with("2 signals, "); }));
  CHECK(eventually([&] { return client.ask("count") != "2 signals, 0 ticks"; }));
}

TEST_CASE("children share the cache of shared_memory, and it outlives a child that is killed") {
  ServerProcess server(two_children({}), program("shared_memory"));
  for (int i = 0; i < 20; ++i) CHECK(server.connect().ask("work 1000") == hash_of_1000());
  CHECK(server.connect().ask("hits") == "19 of 20");
  // They are killed while they compute, with the lock.
  const auto killed = server.children();
  Client busy = server.connect();
  busy.send("work 10000000\n");
  CHECK(server.reaches([](const auto& service) { return service.busy > 0; }));
  for (const pid_t child : killed) ::kill(child, SIGKILL);
  CHECK(server.reaches([&](const auto& service) {
    return service.idle >= 1 && std::none_of(killed.begin(), killed.end(), is_alive);
  }));
  Client client = server.connect();
  CHECK(client.ask("work 10000000") != "");
  CHECK(client.ask("work 1000") == hash_of_1000());
}

TEST_CASE("buffer_pool lends so many buffers as it has") {
  ServerProcess server({"--buffers=2", "--max-clients=1", "--start-servers=1", "--min-spare-servers=1",
                        "--max-spare-servers=1"},
                       program("buffer_pool"));
  Client first = server.connect(), second = server.connect();
  first.send("half a ");
  second.send("half a ");
  // Until both have been read there are more.
  CHECK(eventually([&] { return server.connect().ask("hello") == "no buffer is free"; }));
  second.send("line\n");
  CHECK(second.line() == "half a line");
  CHECK(second.ask("hello") == "hello");
  first.send("line\n");
  CHECK(first.line() == "half a line");
  first.send(std::string(20'000, 'x'));
  CHECK(first.ending() != Ending::timed_out);
  CHECK(second.ask("hello") == "hello");
}

TEST_CASE("each way of zero_copy sends the same") {
  for (const std::string way : {"copy", "gather", "sendfile", "splice", "tee"})
    for (const std::string size : {"32", "16384", "65000", "65536"}) {
      CAPTURE(way);
      CAPTURE(size);
      ServerProcess server({"--way=" + way, "--size=" + size, "--start-servers=1"}, program("zero_copy"));
      Client client = server.connect();
      for (int i = 0; i < 20; ++i)
        CHECK(client.ask("") == std::string(static_cast<std::size_t>(std::stoi(size)) - 1, 'x'));
      client.abandon();
      CHECK(server.connect().ask("") == std::string(static_cast<std::size_t>(std::stoi(size)) - 1, 'x'));
    }
}

TEST_CASE("pool_sizes reads the figures of a live server") {
  ServerProcess server(two_children({}), program("blocking"));
  Load load(server.address(), 2, "wait 5", "wait 5");
  CHECK(load.more_answers(1));
  const std::string text = output_of(program_path("patterns/pool_sizes") + " " + server.scoreboard() + " 1");
  CAPTURE(text);
  CHECK(text.starts_with("processors: N = "));
  CHECK(text.find("lambda = 0.0") == std::string::npos);
  CHECK(text.find("L = ") != std::string::npos);
  CHECK(load.stop().failed() == 0);
}
