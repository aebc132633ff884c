// SPDX-License-Identifier: MIT
// A loop of one's own over the child's seam (example/own_loop.cpp, with libevent): the promises are the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "load.hpp"
#include "process_table.hpp"
#include "proxy_headers.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const ServerOptions own_loop{.program = "own_loop"};

}  // namespace

TEST_CASE("a loop of one's own: many connections in a child, and its capacity is kept to") {
  ServerProcess server({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=2",
                        "--max-clients=3", "--max-connections-per-child=4"},
                       own_loop);
  std::vector<Client> held;
  for (int i = 0; i < 12; ++i) {
    held.push_back(server.connect());
    CHECK(held.back().ask("hello") == "hello");
  }
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 12 && service.children() == 3; }));
  for (const auto& slot : server.service().slots) CHECK(slot.open_connections <= 4);
  Client waiting = server.connect();
  waiting.send("at last\n");
  CHECK(server.wait_for_log("max-clients = 3 is reached"));
  CHECK(server.service().total.accepted == 12);
  held.pop_back();
  CHECK(waiting.line() == "at last");
  const std::string large(3'000'000, 'x');
  std::thread sender([&] { held.front().send(large + '\n'); });
  CHECK(held.front().line() == large);
  sender.join();
  held.clear();
  waiting.close();
  CHECK(server.reaches([](const auto& service) {
    return service.total.finished == 13 && service.total.failed == 0 && service.open_connections == 0;
  }));
  CHECK(server.service().total.bytes_read > 3'000'000);
}

TEST_CASE("a loop of one's own: recycles under load lose nothing, and the figures add up") {
  std::vector<std::string> arguments = {"--start-servers=2",     "--min-spare-servers=1",
                                        "--max-spare-servers=3", "--max-connections-per-child=4",
                                        "--max-clients=12",      "--max-requests-per-child=200"};
  SUBCASE("one listener") {}
  SUBCASE("two listeners") { arguments.emplace_back("--listen=127.0.0.1:0,name=second"); }
  ServerProcess server(arguments, own_loop);
  Load first(server.addresses().front(), 6, "hello", "hello"), last(server.addresses().back(), 6, "a", "a");
  for (int round = 0; round < 30; ++round) {
    server.signal(SIGHUP);
    CHECK(first.more_answers(40));
    CHECK(last.more_answers(40));
  }
  const std::uint64_t answered = first.stop().answered + last.stop().answered;
  CHECK(first.figures().failed() + last.figures().failed() == 0);
  CHECK(server.reaches([&](const auto& service) {
    return service.total.finished == answered && service.total.accepted == answered &&
           service.open_connections == 0;
  }));
  CHECK(server.service().total.aborted == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("a loop of one's own: SIGTERM serves what waits, closes what is idle, and ends") {
  ServerProcess server({"--start-servers=2"}, own_loop);
  std::vector<Client> held, asked;
  for (int i = 0; i < 5; ++i) {
    held.push_back(server.connect());
    CHECK(held.back().ask("hello") == "hello");
  }
  for (int i = 0; i < 20; ++i) {
    asked.push_back(server.connect());
    asked.back().send("hello\n");
  }
  server.signal(SIGTERM);
  for (auto& client : asked) CHECK(client.line() == "hello");
  for (auto& client : held) CHECK(client.ending() == Ending::closed);
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("killed") == 0);
}

TEST_CASE("a loop of one's own: idle connections are closed, a killed child's are counted, orphans end") {
  ServerProcess server({"--start-servers=2", "--connection-idle-timeout=1s"}, own_loop);
  Client idle = server.connect();
  CHECK(idle.ask("hello") == "hello");
  CHECK(idle.ending() == Ending::closed);
  Client lost = server.connect();
  CHECK(lost.ask("hello") == "hello");
  for (const auto& slot : server.service().slots)
    if (slot.open_connections > 0) ::kill(slot.pid, SIGKILL);
  CHECK(server.reaches([](const auto& service) {
    return service.total.accepted == service.total.finished + service.total.aborted && service.idle >= 2;
  }));
  const auto children = server.children();
  server.signal(SIGKILL);
  CHECK(eventually([&] { return std::none_of(children.begin(), children.end(), is_alive); }));
}

TEST_CASE("a loop of one's own behind a balancer: a child that leaves serves those whose header is late") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=2", "--proxy-timeout=30s", "--listen=127.0.0.1:0,proxy"},
      {.program = "own_loop", .listen = false});
  std::vector<Client> late;
  for (int i = 0; i < 4; ++i) late.push_back(server.connect());
  CHECK(server.reaches([](const auto& service) { return service.uncounted == 4; }));
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 2; }));
  for (auto& client : late) {
    client.send(proxy_line);
    CHECK(client.ask("hello") == "hello");
    client.close();
  }
  CHECK(server.reaches(
      [](const auto& service) { return settled_at(2)(service) && service.total.finished == 4; }));
}
