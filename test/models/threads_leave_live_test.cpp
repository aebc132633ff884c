// SPDX-License-Identifier: MIT
// How a child with threads leaves: all of them, whatever they do, and without losing a connection.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "broodctl.hpp"
#include "load.hpp"
#include "models.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const ServerOptions threaded{.program = "brood-thread-test-server"};

std::vector<std::string> with_listeners(bool several, std::vector<std::string> arguments) {
  if (several) arguments.emplace_back("--listen=127.0.0.1:0,name=second");
  return arguments;
}

// All children are of the newest generation, and serve.
bool is_renewed(const ServiceSnapshot& service) {
  return std::all_of(service.slots.begin(), service.slots.end(), [&](const auto& slot) {
    return slot.state == SlotState::empty ||
           (slot.generation == service.generation && slot.state != SlotState::starting);
  });
}

}  // namespace

// By a pause: a reload would wait each time until the new children have proven themselves.
TEST_CASE("a hundred times idle children are told to leave: all threads leave each time" *
          doctest::test_suite("slow")) {
  bool several = false;
  SUBCASE("one listener: they wait in accept()") {}
  SUBCASE("several listeners: they wait in epoll") { several = true; }
  ServerProcess server(with_listeners(several, {"--threads-per-child=6", "--start-servers=2",
                                                "--min-spare-servers=2", "--max-spare-servers=2"}),
                       threaded);
  const std::string name = server.service().name;
  for (unsigned round = 0; round < 100; ++round) {
    REQUIRE(ask(server, "pause " + name).code == 0);
    CHECK(server.service().children() == 0);
    REQUIRE(ask(server, "resume " + name).code == 0);
    REQUIRE(
        server.reaches([&](const auto& service) { return service.idle == 2 && service.children() == 2; }));
  }
  CHECK(server.service().children_failed == 0);
  CHECK(server.children().size() == 2);
}

TEST_CASE("recycles under load, with some threads busy and some not, lose no connection" *
          doctest::test_suite("slow")) {
  bool several = false;
  SUBCASE("one listener") {}
  SUBCASE("several listeners") { several = true; }
  ServerProcess server(
      with_listeners(several, {"--threads-per-child=4", "--start-servers=2", "--min-spare-servers=1",
                               "--max-spare-servers=4", "--max-clients=12"}),
      threaded);
  std::vector<std::unique_ptr<Load>> loads;
  for (const auto& address : server.addresses()) {
    loads.push_back(std::make_unique<Load>(address, 3));
    loads.push_back(std::make_unique<Load>(address, 2, "hold 7", "held"));
  }
  for (int round = 0; round < 40; ++round) {
    server.signal(SIGHUP);
    CHECK(loads[static_cast<std::size_t>(round) % loads.size()]->more_answers(25));
  }
  std::uint64_t answered = 0;
  for (auto& load : loads) {
    const LoadFigures figures = load->stop();
    CHECK(figures.failed() == 0);
    answered += figures.answered;
  }
  CHECK(server.reaches([&](const auto& service) {
    return service.total.finished == answered && service.total.accepted == answered;
  }));
  CHECK(server.service().total.aborted == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("one client after the other is served at once, however often the children are replaced") {
  // With several listeners a wake-up may go to a child that leaves, and stays with its busy threads for long.
  ServerProcess server({"--threads-per-child=4", "--start-servers=2", "--min-spare-servers=2",
                        "--max-spare-servers=3", "--max-clients=40", "--listen=127.0.0.1:0,name=second"},
                       threaded);
  std::vector<Client> held;
  for (int round = 0; round < 30; ++round) {
    held.push_back(server.connect());
    held.back().child();
    if (held.size() > 8) held.erase(held.begin());
    server.signal(SIGHUP);
    for (int i = 0; i < 5; ++i)
      for (const auto& address : server.addresses()) CHECK(Client(address).ask("echo hello") == "hello");
  }
  for (auto& client : held) CHECK(client.ask("echo on") == "on");
}

TEST_CASE("a child that leaves finishes the connections of its threads, and accepts no more") {
  ServerProcess server({"--threads-per-child=4", "--start-servers=1", "--min-spare-servers=1"}, threaded);
  auto held = server.hold(2);
  const pid_t child = held.front().child();
  server.signal(SIGHUP);
  CHECK(eventually([&] { return held[0].ask("leaving") == "yes"; }));
  // Until the last of its threads that wait has heard it, it takes what comes.
  CHECK(server.wait_for_log(hears(child)));
  CHECK(server.shows_leaving(child));
  for (int i = 0; i < 20; ++i) CHECK(server.connect().child() != child);
  held[0].close();
  CHECK(held[1].child() == child);
  CHECK(is_alive(child));
  held.clear();
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.reaches([](const auto& service) { return service.children_gone == 1; }));
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("SIGTERM under load: all that were accepted are answered, and the server ends") {
  bool several = false;
  SUBCASE("one listener") {}
  SUBCASE("several listeners") { several = true; }
  ServerProcess server(
      with_listeners(several, {"--threads-per-child=4", "--start-servers=3", "--min-spare-servers=1"}),
      threaded);
  auto held = server.hold(3);
  std::vector<Client> asked;
  for (int i = 0; i < 20; ++i) {
    asked.push_back(server.connect());
    asked.back().send("hold 20\nbye\n");
  }
  server.signal(SIGTERM);
  for (auto& client : asked) {
    CHECK(client.line() == "held");
    CHECK(client.line() == "bye");
    CHECK(client.ending() == Ending::closed);
  }
  for (auto& client : held) CHECK(client.ask("echo on") == "on");
  held.clear();
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("killed") == 0);
}

TEST_CASE("a SIGTERM or SIGUSR1 from elsewhere means nothing to threads either") {
  ServerProcess server({"--threads-per-child=4", "--start-servers=2", "--min-spare-servers=1",
                        "--max-spare-servers=2", "--listen=127.0.0.1:0,name=second"},
                       threaded);
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 2; }));
  const auto children = server.children();
  auto held = server.hold(3);
  for (int round = 0; round < 50; ++round)
    for (const pid_t child : children)
      for (const int signal : {SIGTERM, SIGUSR1, SIGHUP, SIGINT}) ::kill(child, signal);
  CHECK(server.connect().ask("echo hello") == "hello");
  for (auto& client : held) CHECK(client.ask("echo on") == "on");
  CHECK(server.children() == children);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("children of a parent that was killed finish their connections, and free the address") {
  bool several = false;
  SUBCASE("one listener") {}
  SUBCASE("several listeners") { several = true; }
  ServerProcess server(
      with_listeners(several, {"--threads-per-child=16", "--start-servers=2", "--min-spare-servers=1"}),
      threaded);
  auto held = server.hold(12);
  std::vector<pid_t> children;
  for (auto& client : held) children.push_back(client.child());
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  for (auto& client : held) CHECK(client.ask("echo on") == "on");
  CHECK(eventually([&] { return held.front().ask("leaving") == "yes"; }));
  {
    ServerProcess next({"--listen=" + server.address(), "--threads-per-child=2"},
                       {.program = "brood-thread-test-server", .listen = false});
    CHECK(next.connect().ask("echo next") == "next");
  }
  for (auto& client : held) CHECK(client.ask("echo still") == "still");
  held.clear();
  CHECK(eventually([&] { return std::none_of(children.begin(), children.end(), is_alive); }));
}

TEST_CASE("threads that have ended are left alone by signals that come later") {
  // Some threads of a child that leaves have been joined; the parent dies, and the kernel says so.
  ServerProcess server({"--threads-per-child=24", "--start-servers=1", "--min-spare-servers=1"}, threaded);
  auto held = server.hold(24);
  const pid_t child = held.front().child();
  held.erase(std::remove_if(held.begin(), held.end(), [&](auto& client) { return client.child() != child; }),
             held.end());
  server.signal(SIGHUP);
  CHECK(eventually([&] { return held.front().ask("leaving") == "yes"; }));
  // Three are left, those that are joined last.
  std::sort(held.begin(), held.end(),
            [](auto& a, auto& b) { return std::stoi(a.ask("thread")) > std::stoi(b.ask("thread")); });
  held.erase(held.begin() + 3, held.end());
  const auto threads = [&] {
    return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(child) + "/task"), {});
  };
  CHECK(eventually([&] { return threads() <= 4; }));
  for (int i = 0; i < 20; ++i) ::kill(child, SIGUSR1);
  server.signal(SIGKILL);
  for (auto& client : held) CHECK(client.ask("echo on") == "on");
  CHECK(is_alive(child));
  held.clear();
  CHECK(eventually([&] { return !is_alive(child); }));
}

TEST_CASE("a reload gives new children another number of threads, and another listener") {
  const TemporaryDirectory place;
  const std::string file = place / "settings.conf";
  write_file(file, "threads-per-child = 2\nstart-servers = 2\nmin-spare-servers = 2\n");
  ServerProcess server({"--config=" + file}, threaded);
  Load load(server.address(), 4);
  CHECK(load.more_answers(100));
  write_file(file, "threads-per-child = 5\nstart-servers = 2\nmin-spare-servers = 2\nlisten = " +
                       server.address() + "\n");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) {
    return service.generation == 2 && is_renewed(service) &&
           std::all_of(service.slots.begin(), service.slots.end(),
                       [](const auto& slot) { return slot.state != SlotState::idle || slot.capacity == 5; });
  }));
  CHECK(load.more_answers(100));
  CHECK(load.stop().failed() == 0);
}
