// SPDX-License-Identifier: MIT
// overload-read-timeout: clients that keep their children waiting lose them when others wait for a child.
#include <doctest/doctest.h>

#include <algorithm>

#include "loopback_listener.hpp"
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

// Whose children have several connections each.
ServerOptions with_loop(std::vector<std::string>& settings) {
  settings.emplace_back("--max-connections-per-child=4");
  ServerOptions options{.program = "brood-event-test-server"};
  SUBCASE("event loop") {}
  SUBCASE("event loop with threads") { settings.emplace_back("--threads-per-child=2"); }
  SUBCASE("coroutines") { options.program = "brood-async-test-server"; }
  return options;
}

// Whose children have one connection each.
ServerOptions with_one_connection(std::vector<std::string>& settings) {
  ServerOptions options;
  SUBCASE("blocking") { return options; }
  settings.emplace_back("--max-connections-per-child=1");
  SUBCASE("event loop") { options.program = "brood-event-test-server"; }
  SUBCASE("coroutines") { options.program = "brood-async-test-server"; }
  return options;
}

std::uint64_t refused_by_overload(const ServiceSnapshot& service) {
  return service.refused.at(static_cast<std::size_t>(RefusedBy::overload));
}

// For each client that waits while the only child is busy: whether it was served, in their order.
std::vector<bool> serve_crowd(const ServerProcess& server, unsigned clients) {
  Client busy = server.connect();
  busy.send("hold 700\n");
  REQUIRE(server.reaches([](const auto& service) { return service.busy == 1; }));
  std::vector<Client> crowd;
  for (unsigned i = 0; i < clients; ++i) {
    crowd.push_back(server.connect());
    crowd.back().send("echo served\n");
  }
  CHECK(busy.line() == "held");
  busy.close();
  std::vector<bool> served;
  for (auto& client : crowd) {
    const std::string answer = client.line();
    served.push_back(answer == "served");
    if (!served.back()) CHECK(answer == "too many");
    if (!served.back()) CHECK(client.ending() == Ending::closed);
    client.close();
  }
  return served;
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

TEST_CASE("of silent clients of a loop as many lose their connections as others wait") {
  auto settings = overloadable(2, "300ms");
  const ServerOptions options = with_loop(settings);
  ServerProcess server(settings, options);
  auto silent = server.hold(8);
  Client next = server.connect();
  next.send("echo served\n");
  CHECK(next.line() == "served");
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  next.close();
  CHECK(count_open(silent) == 7);
  CHECK(server.service().total.failed == 0);
  CHECK(server.service().children_gone == 0);
  CHECK(server.wait_for_log(": overload-read-timeout: it is silent while others wait; it is closed"));
}

TEST_CASE("many clients that wait for the places of silent ones in loops get them") {
  auto settings = overloadable(2, "300ms");
  const ServerOptions options = with_loop(settings);
  ServerProcess server(settings, options);
  auto silent = server.hold(8);
  for (int i = 0; i < 20; ++i) {
    Client next = server.connect();
    next.send("echo served\n");
    CHECK(next.line() == "served");
  }
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("silent clients of a loop keep their connections while nobody waits, and without the setting") {
  for (const char* timeout : {"50ms", "0"}) {
    auto settings = overloadable(1, timeout);
    const ServerOptions options = with_loop(settings);
    ServerProcess server(settings, options);
    auto silent = server.hold(4);
    std::vector<Client> next;
    if (*timeout == '0') next.push_back(server.connect());
    CHECK(stays([&] { return server.service().total.finished == 0; }, 1500ms));
    CHECK(count_open(silent) == 4);
  }
}

TEST_CASE("a relay on which nothing moves ends for a client that waits") {
  const LoopbackListener behind;
  ServerProcess server(overloadable(1, "300ms"), {.program = "brood-protocol-test-server"});
  Client silent = server.connect();
  silent.send("relay " + std::to_string(behind.port()) + "\nx");
  REQUIRE(server.reaches([](const auto& service) { return service.busy == 1; }));
  Client next = server.connect();
  next.send("lines\n");
  CHECK(silent.ending() == Ending::closed);
  CHECK(server.wait_for_log("overload-read-timeout: relay for 127.0.0.1:"));
  CHECK(server.reaches([](const auto& service) { return service.total.accepted == 2; }));
  CHECK(server.service().total.timed_out == 1);
}

TEST_CASE("an overloaded service that refuses serves those that have come last") {
  auto settings = overloadable(1, "0");
  for (const char* const each : {"--overload=refuse", "--overload-queue=2", "--refusal=too many\\n"})
    settings.emplace_back(each);
  const ServerOptions options = with_one_connection(settings);
  ServerProcess server(settings, options);
  std::uint64_t answered = 0;
  std::vector<bool> served;
  // The parent needs some looks to find the service overloaded.
  const bool some_refused = eventually([&] {
    served = serve_crowd(server, 8);
    answered += served.size() + 1;
    return !served.front();
  });
  CHECK(some_refused);
  CHECK(std::ranges::is_sorted(served));  // those that have waited longest were refused
  CHECK(std::ranges::count(served, true) >= 3);
  CHECK(server.reaches([&](const auto& service) {
    return refused_by_overload(service) > 0 &&
           service.total.finished + refused_by_overload(service) == answered;
  }));
  CHECK(server.service().children_gone == 0);
  CHECK(server.wait_for_log(" is refused: overload = refuse"));
}

TEST_CASE("an overloaded service refuses nobody by default, nor below the length of its queue") {
  for (const char* setting : {"--overload=wait", "--overload=refuse"}) {
    auto settings = overloadable(1, "0", setting);
    if (std::string_view(setting).ends_with("refuse")) settings.emplace_back("--overload-queue=20");
    const ServerProcess server(settings);
    const auto served = serve_crowd(server, 8);
    CHECK(std::ranges::count(served, true) == 8);
    CHECK(refused_by_overload(server.service()) == 0);
  }
}

TEST_CASE("overload and its queue are refused where they have no effect") {
  const auto mistake = [](const std::vector<std::string>& settings, const std::string& program) {
    ServerProcess server(settings, {.program = program, .listen = false, .log = false, .wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    return server.standard_error();
  };
  CHECK(mistake({"--overload-queue=3"}, "brood-test-server").find("needs overload = refuse") !=
        std::string::npos);
  CHECK(mistake({"--overload=refuse", "--listen=udp:127.0.0.1:0"}, "brood-datagram-test-server")
            .find("overload = refuse has no effect") != std::string::npos);
  CHECK(mistake({"--overload=refuse", "--listen=timer:1h"}, "brood-trigger-test-server")
            .find("overload has no effect: triggers") != std::string::npos);
}
