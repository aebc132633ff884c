// SPDX-License-Identifier: MIT
// max-memory-per-child: a child that has more private memory than that is replaced, and clients don't notice.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool looks_at_its_memory(pid_t child) {
  const std::filesystem::directory_iterator descriptors("/proc/" + std::to_string(child) + "/fd");
  return std::any_of(begin(descriptors), end(descriptors), [](const auto& descriptor) {
    std::error_code gone;
    return std::filesystem::read_symlink(descriptor, gone).filename() == "smaps_rollup";
  });
}

// A connection that takes longer than the time between two looks.
pid_t serve_and_look(const ServerProcess& server, const std::string& question, const std::string& answer) {
  Client client = server.connect();
  const pid_t child = client.child();
  CHECK(client.ask(question) == answer);
  CHECK(client.ask("hold 30") == "held");
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
  return child;
}

}  // namespace

TEST_CASE("a child that has leaked more than max-memory-per-child is replaced, and no other") {
  ServerProcess server(
      {"--start-servers=3", "--min-spare-servers=3", "--max-spare-servers=8", "--max-memory-per-child=32M"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 3; }));
  const auto before = server.children();
  const pid_t leaks = serve_and_look(server, "leak 40000", "leaked");
  CHECK(eventually([&] { return !is_alive(leaks); }));
  CHECK(server.reaches([](const auto& service) { return service.children_gone == 1 && service.idle >= 3; }));
  CHECK(server.wait_for_log("child " + std::to_string(leaks) + " has "));
  for (const pid_t child : before) CHECK(is_alive(child) == (child != leaks));
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("under load leaking children are replaced one after the other, and no connection is lost") {
  ServerProcess server(
      {"--start-servers=3", "--min-spare-servers=3", "--max-spare-servers=6", "--max-memory-per-child=32M"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 3; }));
  Load load(server.address(), 2);
  CHECK(eventually([&] {
    serve_and_look(server, "leak 40000", "leaked");
    return server.service().children_gone >= 5;
  }));
  CHECK(load.stop().failed() == 0);
  CHECK(server.service().children_failed == 0);
  CHECK(server.service().total.aborted == 0);
}

TEST_CASE("memory that a child shares with its parent does not count until it writes there") {
  TemporaryDirectory place;
  write_file(place / "order", "leak 60000");
  ServerProcess server({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                        "--max-clients=1", "--max-memory-per-child=32M",
                        "--parent-start=" + (place / "order")});
  pid_t child = 0;
  for (int i = 0; i < 5; ++i) child = serve_and_look(server, "leak 10", "leaked");
  CHECK(server.service().children_gone == 0);
  CHECK(serve_and_look(server, "leak 40000", "leaked") == child);
  CHECK(eventually([&] { return serve_and_look(server, "echo x", "x") != child; }));
  CHECK(server.wait_for_log("child " + std::to_string(child) + " has "));
}

TEST_CASE("a child that gets a limit by a reload keeps it, and without one none looks") {
  TemporaryDirectory place;
  const std::string file = place / "conf";
  write_file(file, "start-servers = 1\nmin-spare-servers = 1\nmax-spare-servers = 1\nmax-clients = 1\n");
  ServerProcess server({"--config=" + file});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 1; }));
  const pid_t first = serve_and_look(server, "leak 40000", "leaked");
  CHECK_FALSE(looks_at_its_memory(first));
  write_file(file, read_file(file) + "max-memory-per-child = 32M\n");
  server.signal(SIGHUP);
  REQUIRE(server.reaches(settled_at(2)));
  const pid_t second = serve_and_look(server, "leak 40000", "leaked");
  CHECK(second != first);
  CHECK(server.reaches([](const auto& service) { return service.children_gone == 2 && service.idle == 1; }));
  CHECK(looks_at_its_memory(server.children().front()));
}
