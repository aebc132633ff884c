// SPDX-License-Identifier: MIT
// `brood` with many services: they sleep, and the troubles of one are its own.
#include "brood_directory.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("twenty services on demand have no child, and nobody wakes while nothing comes") {
  const Directory directory("start-servers = 0\nmin-spare-servers = 0\nidle-timeout = 100ms\n");
  for (int i = 10; i < 30; ++i) directory.add_unix("s" + std::to_string(i));
  const ServerProcess server(in(directory), brood_options());
  CHECK(server.snapshot().services.size() == 20);
  CHECK(answers(directory.address("s17")));
  REQUIRE(eventually([&] {
    const auto service = find_service(server, "s17");
    return service->children_started == 1 && service->children() == 0;
  }));
  CHECK(server.children().empty());
  REQUIRE(eventually([&] { return process_state(server.pid()) == 'S'; }));
  const std::string before = status_of(server.pid(), "voluntary_ctxt_switches");
  CHECK(stays([&] { return status_of(server.pid(), "voluntary_ctxt_switches") == before; },
              std::chrono::seconds(2)));
}

TEST_CASE("one service that can't work doesn't keep the others from being ready") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  directory.add("a");
  directory.write("b", "command = /bin/true\ncommand-gets = slot\nlisten = 127.0.0.1:0\n");
  const ServerProcess server(in(directory), brood_options());
  CHECK(answers(server.addresses().at(0)));
  CHECK(server.count_in_log("not ready") == 0);
}

TEST_CASE("strict: all must be able to work before the server is ready") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  directory.add("a");
  directory.write("b", "command = /bin/true\ncommand-gets = slot\nlisten = 127.0.0.1:0\n");
  const ServerProcess server(in(directory, {"--strict"}), brood_options(false));
  CHECK(server.wait_for_log("not ready: children fail"));
  CHECK_FALSE(server.is_ready());
}

TEST_CASE("a stop drains all, and leaves nothing behind") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  for (const char* name : {"a", "b", "c"}) directory.add_unix(name);
  ServerProcess server(in(directory), brood_options());
  Client client(directory.address("b"));
  CHECK(client.ask("one") == "one");
  server.signal(SIGTERM);
  CHECK(eventually([&] { return !answers(directory.address("a")); }));
  CHECK(client.ask("two") == "two");
  client.close();
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(std::filesystem::exists(server.scoreboard()));
}
