// SPDX-License-Identifier: MIT
// overload-read-timeout: clients that keep their children waiting lose them when others wait for a child.
#include <doctest/doctest.h>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> overloadable(unsigned children, const std::string& timeout,
                                      const std::string& further = "--nice=0") {
  auto settings = pool(children);
  settings.push_back("--overload-read-timeout=" + timeout);
  settings.push_back(further);
  return settings;
}

unsigned count_open(std::vector<Client>& clients) {
  unsigned open = 0;
  for (auto& client : clients) try {
      if (client.ask("echo here") == "here") ++open;
    } catch (const ClientError&) {
    }
  return open;
}

}  // namespace

TEST_CASE("of silent clients that have all children as many lose theirs as others wait") {
  // The limit is also kept if the handler's reads wait in poll(), as with connection-timeout.
  for (const char* further : {"--nice=0", "--connection-timeout=1h", "--read-timeout=1h"}) {
    ServerProcess server(overloadable(4, "300ms", further));
    auto silent = server.hold(4);
    Client next = server.connect();
    next.send("echo served\n");
    CHECK(next.line() == "served");
    CHECK(server.reaches([](const auto& service) { return service.total.timed_out == 1; }));
    next.close();
    CHECK(count_open(silent) == 3);
    CHECK(server.service().total.failed == 0);
    CHECK(server.service().children_gone == 0);
    CHECK(server.wait_for_log("overload-read-timeout: read from 127.0.0.1:"));
  }
}

TEST_CASE("the clients that are silent for longest lose their children first") {
  ServerProcess server(overloadable(2, "5s"));
  Client first = server.connect();
  first.ask("echo here");
  // Overloaded from now on: each wait of a client begins with its answer.
  Client second = server.connect();
  second.ask("echo here");
  Client third = server.connect();
  third.send("echo served\n");
  CHECK(server.reaches([](const auto& service) { return service.at_max_clients; }));
  const auto ask_again = [&] { return second.ask("echo here") == "here"; };
  bool served = false;
  CHECK(eventually([&] {
    CHECK(ask_again());
    third.limit_waits(1ms);
    try {
      served = served || third.line() == "served";
    } catch (const ClientError&) {
    }
    return served;
  }));
  CHECK(first.ending() == Ending::closed);
  CHECK(ask_again());
}

TEST_CASE("a client that sends a byte at a time is not better off than a silent one") {
  ServerProcess server(overloadable(1, "300ms"));
  Client slow = server.connect();
  slow.ask("echo here");
  Client next = server.connect();
  next.send("echo served\n");
  next.limit_waits(10ms);
  bool served = false;
  CHECK(eventually([&] {
    try {
      slow.send("x");
      served = served || next.line() == "served";
    } catch (const ClientError& error) {
      if (error.ending() != Ending::timed_out) served = served || server.service().total.timed_out == 1;
    }
    return served;
  }));
  CHECK(server.reaches([](const auto& service) { return service.total.timed_out == 1; }));
}

TEST_CASE("a handler that works does not lose its client, and is not interrupted") {
  ServerProcess server(overloadable(1, "50ms"));
  Client busy = server.connect();
  busy.send("hold 1500\nbye\n");
  REQUIRE(server.reaches([](const auto& service) { return service.busy == 1; }));
  Client next = server.connect();
  next.send("echo served\n");
  CHECK(busy.line() == "held");
  CHECK(busy.line() == "bye");
  CHECK(next.line() == "served");
  CHECK(server.service().total.timed_out == 0);
}

TEST_CASE("silent clients keep their children while nobody waits, and without the setting") {
  for (const char* timeout : {"50ms", "0"}) {
    ServerProcess server(overloadable(2, timeout));
    auto silent = server.hold(2);
    std::vector<Client> next;
    if (*timeout == '0') next.push_back(server.connect());
    CHECK(stays([&] { return server.service().total.finished == 0; }, 1500ms));
    CHECK(count_open(silent) == 2);
  }
}

TEST_CASE("threads that wait for silent clients are freed as well") {
  auto settings = overloadable(1, "300ms", "--threads-per-child=4");
  ServerProcess server(settings, {.program = "brood-thread-test-server"});
  std::vector<Client> silent;
  for (int i = 0; i < 4; ++i) {
    silent.push_back(server.connect());
    silent.back().ask("echo here");
  }
  Client next = server.connect();
  next.send("echo served\n");
  CHECK(next.line() == "served");
  next.close();
  CHECK(count_open(silent) >= 2);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("an overload that is over leaves no limit behind") {
  ServerProcess server(overloadable(2, "300ms"));
  auto silent = server.hold(2);
  Client next = server.connect();
  next.send("echo served\n");
  CHECK(next.line() == "served");
  next.close();
  REQUIRE(server.reaches([](const auto& service) { return service.total.finished == 2; }));
  auto again = server.hold(1);
  CHECK(stays([&] { return server.service().total.finished == 2; }, 1500ms));
  CHECK(count_open(silent) == 1);
  CHECK(count_open(again) == 1);
}
