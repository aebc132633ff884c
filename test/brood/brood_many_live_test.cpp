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
  CHECK(rests(server.pid(), 2s));
}

TEST_CASE("one service that can't work doesn't keep the others from being ready") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  directory.add("a");
  directory.write("b", "command = /bin/true\ncommand-gets = slot\nlisten = 127.0.0.1:0\n");
  const ServerProcess server(in(directory), brood_options());
  CHECK(answers(server.addresses().at(0)));
  CHECK(server.count_in_log("not ready") == 0);
}

TEST_CASE("daemonize: one service that fails is no failure, all of them are") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\ndaemonize = yes\n");
  directory.write("b", "command = /bin/true\ncommand-gets = slot\nlisten = 127.0.0.1:0\n");
  const std::string pid_file = directory.path() + "/pid";
  const auto end = [&] {
    const pid_t parent = static_cast<pid_t>(std::stol(read_file(pid_file)));
    CHECK(::kill(parent, SIGKILL) == 0);
    CHECK(eventually([&] { return !is_alive(parent); }));
  };
  {
    ServerProcess command(in(directory, {"--pid-file=" + pid_file}), brood_options(false));
    CHECK(command.wait_exit() == exited(71));
    CHECK(command.count_in_log("not ready: children fail") == 1);
    end();
  }
  directory.add_unix("a");
  ServerProcess command(in(directory, {"--pid-file=" + pid_file}), brood_options(false));
  CHECK(command.wait_exit() == exited(0));
  CHECK(answers(directory.address("a")));
  end();
}

TEST_CASE("a program that dies at once is started after longer and longer delays, and the others go on") {
  const Directory directory("start-servers = 2\nmin-spare-servers = 1\nmax-spare-servers = 2\n");
  directory.add_unix("a");
  directory.write("b", "command = /bin/true\ncommand-gets = slot\nlisten = 127.0.0.1:0\n");
  const ServerProcess server(in(directory), brood_options());
  const auto before = pids_of(server, "a");
  std::uint64_t started = 0;
  CHECK(eventually([&] {
    const auto b = find_service(server, "b");
    started = b->children_started;
    return b->children_failed >= 3 && b->throttled_for.count() > 0;
  }));
  CHECK(started <= 5);
  CHECK(find_service(server, "a")->throttled_for.count() == 0);
  CHECK(pids_of(server, "a") == before);
  CHECK(answers(directory.address("a")));
}

TEST_CASE("one that says that it can't work is stopped, and the others go on") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  directory.add_unix("a");
  write_file(directory.path() + "/hopeless", "#!/bin/sh\nexit 78\n");
  std::filesystem::permissions(directory.path() + "/hopeless", std::filesystem::perms::owner_all);
  directory.write("b", "command = ./hopeless\ncommand-gets = slot\nlisten = 127.0.0.1:0\n");
  ServerProcess server(in(directory), brood_options());
  CHECK(server.wait_for_log("no other child serves; no more children are started"));
  CHECK(answers(directory.address("a")));
  // It is the last one that is left: when it can't work either, that is the end.
  directory.remove("a");
  server.signal(SIGHUP);
  CHECK(server.wait_exit() == exited(78));
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
