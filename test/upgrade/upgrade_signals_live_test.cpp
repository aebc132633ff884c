// SPDX-License-Identifier: MIT
// What happens at the same time as an upgrade: signals, reloads, drains, and the end of a program.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::vector<std::string> three_children = {"--start-servers=3", "--min-spare-servers=1",
                                                 "--max-spare-servers=8"};

}  // namespace

TEST_CASE("a SIGTERM right after SIGUSR2 stops the server, whichever program it finds") {
  for (int i = 0; i < 8; ++i) {
    Upgradeable it(three_children);
    Load load(it.server.address(), 2);
    REQUIRE(load.more_answers(10));
    it.server.signal(SIGUSR2);
    // Later each time: during both steps, and in the first moments of the new program.
    std::this_thread::sleep_for(i * 1ms);
    it.server.signal(SIGTERM);
    CHECK(it.server.wait_exit() == exited(0));
    CHECK(load.stop().lost() == 0);
    CHECK(read_file(it.server.scoreboard()).empty());
  }
}

TEST_CASE("a SIGHUP right after SIGUSR2 is heeded, whichever program it finds") {
  for (int i = 0; i < 8; ++i) {
    Upgradeable it(three_children);
    it.server.signal(SIGUSR2);
    std::this_thread::sleep_for(i * 1ms);
    it.server.signal(SIGHUP);
    CHECK(it.eventually_counts("info: upgraded: ", 1));
    CHECK(it.eventually_counts("info: reloaded: ", 1));
    CHECK(it.server.reaches(settled_at(3)));
  }
}

TEST_CASE("an upgrade during an upgrade joins it, a reload during it is done") {
  Upgradeable it(three_children);
  it.install_script("case \"$*\" in *--test-config) while ! test -e " + (it.place / "go") +
                    "; do sleep 0.01; done; exit 0;; esac\nexit 4");
  it.server.signal(SIGUSR2);
  REQUIRE(it.server.wait_for_log("upgrade: testing"));
  it.server.signal(SIGUSR2);
  CHECK(it.server.wait_for_log("upgrade: one is under way already"));
  it.server.signal(SIGHUP);
  CHECK(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("echo meanwhile") == "meanwhile");
  for (const auto& slot : it.server.service().slots)
    for (const auto& open : descriptors_of_process(slot.pid))
      CHECK_MESSAGE(open.find("memfd:brood-upgrade") == std::string::npos, open);
  write_file(it.place / "go", "");
  CHECK(it.server.wait_for_log("its rehearsal exited with code 4"));
  CHECK(it.count("error: upgrade refused: ") == 1);
}

TEST_CASE("a server that stops gives up its upgrade, and begins none") {
  Upgradeable it(three_children);
  Client client = it.server.connect();
  client.ask("echo in hand");
  it.install_script("exec sleep 1000");
  it.server.signal(SIGUSR2);
  REQUIRE(it.server.wait_for_log("upgrade: testing"));
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_for_log("upgrade refused: the server stops"));
  it.server.signal(SIGUSR2);
  CHECK(it.eventually_counts("error: upgrade refused: the server stops", 2));
  client.close();
  CHECK(it.server.wait_exit() == exited(0));
}

TEST_CASE("children that end while the program is replaced are reaped by the next one" *
          doctest::test_suite("slow")) {
  Upgradeable it({"--start-servers=6", "--min-spare-servers=6", "--max-spare-servers=12"});
  Load load(it.server.address(), 8);  // children that have served may be killed without a throttle
  for (int i = 0; i < 5; ++i) {
    REQUIRE(load.more_answers(100));
    it.server.signal(SIGUSR2);
    for (int killed = 0; killed < 3; ++killed) {
      const auto children = it.server.children();
      if (!children.empty()) ::kill(children[static_cast<std::size_t>(killed) % children.size()], SIGKILL);
      std::this_thread::sleep_for(2ms);
    }
    REQUIRE(it.eventually_counts("info: upgraded: ", static_cast<unsigned>(i) + 1));
    REQUIRE(it.server.reaches(settled_at(static_cast<std::uint32_t>(i) + 2)));
    CHECK(eventually([&] { return it.server.children().size() == it.server.service().children(); }));
  }
}

TEST_CASE("a stopped child is known to the new program, and continues") {
  Upgradeable it(three_children);
  Client client = it.server.connect();
  const pid_t child = client.child();
  ::kill(child, SIGSTOP);
  REQUIRE(it.server.reaches([](const auto& service) { return service.stopped == 1; }));
  REQUIRE(it.upgrade());
  CHECK(it.server.service().stopped == 1);
  ::kill(child, SIGCONT);
  CHECK(it.server.reaches([](const auto& service) { return service.stopped == 0; }));
  CHECK(client.ask("echo again") == "again");
}

TEST_CASE("a listener that is drained goes on being drained, and loses nobody") {
  const TemporaryDirectory place;
  const std::string kept =
      "listen = 127.0.0.1:0\nstart-servers = 1\nmax-clients = 1\nmin-spare-servers = 1\n";
  Upgradeable it({}, kept + "listen = unix:" + (place / "old") + "\n", {.listen = false});
  Client busy = it.server.connect();
  busy.ask("echo in hand");
  Client waiting("unix:" + (place / "old"));  // in the queue: the only child is busy
  waiting.send("echo served\n");
  it.write_settings(kept + "graceful-timeout = 60s\n");
  it.server.signal(SIGHUP);
  REQUIRE(it.server.wait_for_log("is drained and closed"));
  REQUIRE(it.upgrade());
  CHECK(!std::filesystem::exists(place / "old"));
  busy.close();
  CHECK(waiting.line() == "served");
  waiting.close();
  CHECK(it.server.connect().ask("echo here") == "here");
}

TEST_CASE("the new program's settings are in force, with listeners that come and go") {
  const TemporaryDirectory place;
  Upgradeable it(three_children,
                 "word = first\nlisten = 127.0.0.1:0\nlisten = unix:" + (place / "going") + "\n",
                 {.listen = false});
  it.install("brood-test-server-two");
  it.write_settings("word = second\nlisten = 127.0.0.1:0\nlisten = unix:" + (place / "coming") +
                    "\nmax-clients = 9\n");
  Load load(it.server.address(), 2);
  REQUIRE(load.more_answers(10));
  REQUIRE(it.upgrade());
  REQUIRE(load.more_answers(10));
  CHECK(load.stop().failed() == 0);
  CHECK(it.server.reaches([](const auto& service) { return service.max_clients == 9; }));
  CHECK(it.server.reaches(settled_at(2)));
  CHECK(Client("unix:" + (place / "coming")).ask("word") == "second");
  CHECK(eventually([&] { return !std::filesystem::exists(place / "going"); }));
}

TEST_CASE("name, runtime directory and pid file of the running server hold") {
  const TemporaryDirectory place;
  Upgradeable it(three_children, "name = first\npid-file = " + (place / "pid") + "\n");
  it.write_settings("name = second\npid-file = " + (place / "other") + "\n");
  REQUIRE(it.upgrade());
  CHECK(it.server.snapshot().name == "first");
  CHECK(std::filesystem::exists(place / "pid"));
  CHECK(!std::filesystem::exists(place / "other"));
  it.server.signal(SIGHUP);
  CHECK(it.server.wait_for_log("reloaded"));
  CHECK(it.server.reaches(settled_at(3)));
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
  CHECK(!std::filesystem::exists(place / "pid"));
}

TEST_CASE("a scoreboard in memory that has no name is handed over, too") {
  Upgradeable it({"--runtime-directory=none", "--start-servers=2"}, "", {.runtime_directory = false});
  const auto children = it.server.children();
  for (int i = 0; i < 3; ++i) REQUIRE(it.upgrade());
  CHECK(eventually([&] {
    const auto now = it.server.children();
    return now.size() == 5 &&
           std::ranges::none_of(now, [&](pid_t pid) { return std::ranges::count(children, pid) > 0; });
  }));
  CHECK(it.server.connect().ask("echo here") == "here");
}

TEST_CASE("two services are taken over by name") {
  const std::string settings =
      "start-servers = 2\nmin-spare-servers = 1\n[left]\nlisten = 127.0.0.1:0\n"
      "word = L\n[right]\nlisten = 127.0.0.1:0\nword = R\nstart-servers = 3\n";
  Upgradeable it({}, settings, {.program = "brood-two-test-servers", .listen = false});
  Client right(it.server.addresses()[1]);
  const pid_t child = right.child();
  REQUIRE(it.upgrade());
  CHECK(it.server.wait_for_log("took over 5 children of 2 service(s)"));
  CHECK(right.child() == child);
  CHECK(Client(it.server.addresses()[0]).ask("word") == "L");
  CHECK(Client(it.server.addresses()[1]).ask("word") == "R");
  const auto services = it.server.snapshot().services;
  CHECK(services.at(0).name == "left");
  CHECK(services.at(0).generation == 2);
  CHECK(services.at(1).generation == 2);
}

TEST_CASE("when neither the new program nor the former one can go on, the children finish and leave") {
  const TemporaryDirectory place;
  Upgradeable it({"--parent-start=" + (place / "order")});
  Client client = it.server.connect();
  const auto children = it.server.children();
  SUBCASE("both say so") {
    write_file(place / "order", "throw out of luck\n");
    it.server.signal(SIGUSR2);
    CHECK(it.server.wait_exit() == exited(70));
    CHECK(it.server.wait_for_log("not started: on_parent_start: out of luck"));
  }
  SUBCASE("the new one crashes") {
    write_file(place / "order", "crash\n");
    it.server.signal(SIGUSR2);
    CHECK(it.server.wait_exit() == killed_by(SIGABRT));
  }
  CHECK(client.ask("echo still") == "still");
  client.close();
  CHECK(eventually([&] { return std::ranges::none_of(children, is_alive); }));
}
