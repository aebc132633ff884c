// SPDX-License-Identifier: MIT
// Upgrade in place however a server was started, and whatever it listens on.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "asker.hpp"
#include "inherited.hpp"
#include "load.hpp"
#include "pid_1.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool upgraded(const ServerProcess& server, pid_t parent, unsigned number) {
  ::kill(parent, SIGUSR2);
  return eventually([&] { return server.count_in_log("info: upgraded: ") == number; });
}

// A server in the background is not the test's child: it is ended by its pid.
struct Killed {
  pid_t pid;
  ~Killed() {
    if (pid > 0) ::kill(pid, SIGKILL);
  }
};

}  // namespace

TEST_CASE("datagrams are answered over upgrades") {
  const Answering answering;
  Askers askers(answering.server.address(), 3);
  for (unsigned i = 1; i <= 4; ++i) {
    REQUIRE(askers.more_answers(50));
    REQUIRE(upgraded(answering.server, answering.server.pid(), i));
  }
  CHECK(askers.more_answers(50));
  askers.stop();
  CHECK(askers.wrong() == 0);
}

TEST_CASE("the options of a listener are those of the new program's settings") {
  Upgradeable it({}, "listen = 127.0.0.1:0\n", {.listen = false});
  CHECK(it.server.connect().ask("nodelay") == "1");
  it.write_settings("listen = 127.0.0.1:0,nagle\n");
  REQUIRE(it.upgrade());
  CHECK(eventually([&] { return answers(it.server.address(), "nodelay", "0"); }));
}

TEST_CASE("a listener that was inherited at the start is handed on") {
  const Inherited inherited;
  Upgradeable it({"--listen=fd:9,name=handed-on"}, "", inherited.options());
  Load load(inherited.address, 2, "listener", "handed-on");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(load.more_answers(20));
    REQUIRE(it.upgrade());
  }
  REQUIRE(load.more_answers(20));
  CHECK(load.stop().failed() == 0);
}

TEST_CASE("a server in the background is upgraded, by the path that it was started with") {
  const TemporaryDirectory place;
  Upgradeable it({"--daemonize", "--pid-file=" + (place / "pid"), "--start-servers=2"});
  REQUIRE(it.server.wait_exit() == exited(0));
  const pid_t parent = std::stoi("0" + read_file(place / "pid"));
  REQUIRE(parent > 1);
  const Killed killed{parent};
  it.install("brood-test-server-two");
  for (unsigned i = 1; i <= 3; ++i) REQUIRE(upgraded(it.server, parent, i));
  CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
  CHECK(read_file(place / "pid") == std::to_string(parent) + "\n");
  ::kill(parent, SIGTERM);
  CHECK(eventually([&] { return !is_alive(parent); }));
  CHECK(!std::filesystem::exists(place / "pid"));
}

TEST_CASE("children of another user are taken over, and their successors are that user") {
  if (skipped_without_root()) return;
  Upgradeable it({"--user=nobody", "--start-servers=2", "--min-spare-servers=2"});
  Client client = it.server.connect();
  const pid_t child = client.child();
  REQUIRE(it.upgrade());
  CHECK(client.child() == child);
  client.close();
  REQUIRE(it.server.reaches(settled_at(2)));
  for (const pid_t one : it.server.children()) {
    CHECK(status_of(one, "Uid") == "65534\t65534\t65534\t65534");
    for (const auto& open : descriptors_of_process(one)) {
      CHECK_MESSAGE(open.find("scoreboard") == std::string::npos, open);
      CHECK_MESSAGE(open.find("memfd") == std::string::npos, open);
    }
  }
}

TEST_CASE("a server without privileges is upgraded as well") {
  if (skipped_without_root()) return;
  Upgradeable it({"--start-servers=2"}, "", {.user = 65534});
  it.install("brood-test-server-two");
  Load load(it.server.address(), 2);
  REQUIRE(it.upgrade());
  REQUIRE(load.more_answers(20));
  CHECK(load.stop().failed() == 0);
  CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
  CHECK(status_of(it.server.pid(), "Uid") == "65534\t65534\t65534\t65534");
}

TEST_CASE("a server in the background that is not ready is upgraded to one that is, and says so then") {
  const TemporaryDirectory place;
  write_file(place / "order", "hang\n");
  Upgradeable it({"--daemonize", "--pid-file=" + (place / "pid"), "--child-start=" + (place / "order")}, "",
                 {.wait_ready = false});
  REQUIRE(eventually([&] { return read_file(place / "pid").ends_with('\n'); }));
  const pid_t parent = std::stoi(read_file(place / "pid"));
  const Killed killed{parent};
  REQUIRE(eventually([&] { return !children_of(parent).empty(); }));
  CHECK(it.server.running());
  REQUIRE(upgraded(it.server, parent, 1));
  CHECK(it.server.running());
  // They wait for a signal.
  CHECK(eventually([&] {
    for (const pid_t child : children_of(parent)) ::kill(child, SIGUSR1);
    return !it.server.running();
  }));
  CHECK(it.server.wait_exit() == exited(0));
  it.server.wait_ready();
  CHECK(it.server.connect().ask("echo hello") == "hello");
  ::kill(parent, SIGINT);
  CHECK(eventually([&] { return !is_alive(parent); }));
}

TEST_CASE("as PID 1 of a container a server is upgraded") {
  if (skipped_without_root()) return;
  Upgradeable it({"--start-servers=2"}, "", {.in_process = [] {
                   // The search for leaks at the end of a step finds no /proc of this namespace.
                   ::setenv("ASAN_OPTIONS", "exitcode=99:detect_leaks=0", 1);
                   become_pid_1();
                 }});
  const pid_t parent = children_of(it.server.pid()).at(0);
  it.install("brood-test-server-two");
  for (unsigned i = 1; i <= 3; ++i) REQUIRE(upgraded(it.server, parent, i));
  CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
  ::kill(parent, SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
}

TEST_CASE("a script that starts the program can take its place") {
  Upgradeable it({"--start-servers=2"});
  it.install_script("exec " BROOD_PROGRAMS "/brood-test-server-two \"$@\"");
  for (int i = 0; i < 2; ++i) REQUIRE(it.upgrade());
  CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
  // The next upgrade would run the script again.
  it.install_script("exit 6");
  CHECK(it.upgrade_is_refused("--test-config exited with code 6"));
}

TEST_CASE("a service whose children are started on demand goes on with none") {
  Upgradeable it({"--start-servers=0", "--min-spare-servers=0", "--max-spare-servers=2"});
  for (int i = 0; i < 2; ++i) {
    REQUIRE(it.upgrade());
    CHECK(it.server.connect().ask("echo here") == "here");
  }
}
