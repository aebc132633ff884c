// SPDX-License-Identifier: MIT
// Servers of one name that are started in the same moment: one runs.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <memory>

#include "brood/descriptor.hpp"
#include "pipe.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr unsigned starts = 10;
constexpr unsigned rounds = 20;

// Processes that wait for each other before they execute the server.
class Gate {
 public:
  void wait() {
    open();  // this process's own end
    char byte = 0;
    while (::read(pipe_.reader.get(), &byte, 1) < 0 && errno == EINTR) {
    }
  }
  void open() { pipe_.writer.reset(); }

 private:
  Pipe pipe_;
};

using Servers = std::vector<std::unique_ptr<ServerProcess>>;

Servers start_at_once(const std::string& runtime_directory, ServerOptions options,
                      std::vector<std::string> arguments) {
  Gate gate;
  options.runtime_directory = options.wait_ready = false;
  options.in_process = [&gate] { gate.wait(); };
  arguments.push_back("--runtime-directory=" + runtime_directory);
  Servers servers;
  for (unsigned i = 0; i < starts; ++i)
    servers.push_back(std::make_unique<ServerProcess>(arguments, options));
  gate.open();
  return servers;
}

// The one that runs. All others say who it is.
ServerProcess& only_one(const Servers& servers) {
  const auto ended = [&] {
    return std::ranges::count_if(servers, [](const auto& server) { return !server->running(); });
  };
  CHECK(eventually([&] { return ended() >= starts - 1; }));
  const auto one = std::ranges::find_if(servers, [](const auto& server) { return server->running(); });
  REQUIRE(one != servers.end());
  (*one)->wait_ready();
  const std::string who = " already runs, as process " + std::to_string((*one)->pid()) + ", and uses ";
  for (const auto& server : servers) {
    if (server == *one) continue;
    CHECK(server->wait_exit() == exited(78));
    CHECK(server->standard_error().find(who) != std::string::npos);
    CHECK_FALSE(server->is_ready());
  }
  CHECK((*one)->snapshot().parent_pid == (*one)->pid());
  return **one;
}

}  // namespace

TEST_CASE("of servers of one name that are started at once exactly one runs, and the others name it") {
  ServerOptions options;
  std::vector<std::string> arguments = {"--start-servers=1", "--min-spare-servers=1"};
  SUBCASE("a program with one service") {}
  SUBCASE("a program with several services") {
    options = {.program = "brood-two-test-servers", .listen = false};
    arguments = {"--left.listen=127.0.0.1:0", "--right.listen=127.0.0.1:0", "--start-servers=1",
                 "--min-spare-servers=1"};
  }
  const TemporaryDirectory place;
  for (unsigned round = 0; round < rounds / 2; ++round) {
    CAPTURE(round);
    const Servers servers = start_at_once(place.path(), options, arguments);
    ServerProcess& server = only_one(servers);
    // What a killed server has left is in nobody's way, and belongs to nobody.
    const bool killed = round % 2 == 0;
    server.signal(killed ? SIGKILL : SIGTERM);
    CHECK(server.wait_exit() == (killed ? killed_by(SIGKILL) : exited(0)));
  }
}

TEST_CASE("a server that was upgraded has its name still, and gives it up when it stops") {
  Upgradeable upgradeable({"--start-servers=1", "--min-spare-servers=1"});
  ServerProcess& first = upgradeable.server;
  REQUIRE(upgradeable.upgrade());
  ServerOptions options;
  options.program = upgradeable.program;
  options.runtime_directory = options.wait_ready = false;
  const std::vector<std::string> arguments = {"--runtime-directory=" + first.directory().path()};
  const std::string lock = std::filesystem::path(first.scoreboard()).replace_extension("lock");
  {
    ServerProcess second(arguments, options);
    CHECK(second.wait_exit() == exited(78));
    CHECK(second.standard_error().find(" already runs, as process " + std::to_string(first.pid()) +
                                       ", and uses " + lock) != std::string::npos);
  }
  auto held = first.hold(1);
  first.signal(SIGTERM);
  REQUIRE(eventually([&] { return first.snapshot().stopping; }));
  ServerProcess second(arguments, options);
  second.wait_ready();
  held.clear();
  CHECK(first.wait_exit() == exited(0));
  // The one that has ended has not taken its successor's file along.
  ServerProcess third(arguments, options);
  CHECK(third.wait_exit() == exited(78));
  CHECK(third.standard_error().find(", and uses " + lock) != std::string::npos);
}

TEST_CASE(
    "a lock file that was removed is made again, and one that is no file keeps no server from starting") {
  const TemporaryDirectory place;
  const std::string lock = place / "brood-test-server.lock";
  const std::vector<std::string> arguments = {"--runtime-directory=" + place.path()};
  {
    const ServerProcess server(arguments, {.runtime_directory = false});
    REQUIRE(std::filesystem::remove(lock));
    server.signal(SIGHUP);
    CHECK(server.wait_for_log("lock file " + lock + " was removed or replaced; it was made again"));
    CHECK(std::filesystem::exists(lock));
  }
  std::filesystem::remove(lock);
  REQUIRE(::mkfifo(lock.c_str(), 0600) == 0);
  const ServerProcess server(arguments, {.runtime_directory = false});
  CHECK(server.wait_for_log("lock file " + lock + " is not a file of this user with one name"));
  CHECK(server.connect().ask("echo hello") == "hello");
}
