// SPDX-License-Identifier: MIT
// Upgrade in place: another program in the parent's process. Clients don't notice it.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> pool_of(unsigned children) {
  const std::string number = std::to_string(children);
  return {"--start-servers=" + number, "--min-spare-servers=" + number,
          "--max-spare-servers=" + std::to_string(children + 2)};
}

bool has_version(const ServerProcess& server, const std::string& version) {
  return eventually([&] { return server.connect().ask("version") == version; });
}

}  // namespace

TEST_CASE("the program that is there by now takes over the process, the listeners and the children") {
  Upgradeable it(pool_of(3));
  REQUIRE(it.server.connect().ask("version") == "one");
  REQUIRE(it.server.reaches(
      [](const auto& service) { return service.total.finished == 1 && service.idle >= 3; }));
  REQUIRE(rests(it.server.pid(), 50ms));  // it starts no more
  const auto before = it.server.children();
  it.install("brood-test-server-two");
  REQUIRE(it.upgrade());
  CHECK(it.server.wait_for_log("server took over " + std::to_string(before.size()) +
                               " children of 1 service(s)"));
  REQUIRE(it.server.reaches(settled_at(2)));
  CHECK(it.server.running());
  CHECK(it.server.snapshot().parent_pid == it.server.pid());
  CHECK(it.server.snapshot().parent_alive);
  CHECK(has_version(it.server, "two"));
  const ServiceSnapshot service = it.server.service();
  CHECK(service.children_gone == before.size());
  CHECK(service.children_failed == 0);
  CHECK(service.total.accepted >= 2);
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
  CHECK(read_file(it.server.scoreboard()).empty());
}

TEST_CASE("no connection is lost over ten upgrades under load, to good programs and bad ones") {
  Upgradeable it(pool_of(4));
  Load load(it.server.address(), 4);
  REQUIRE(load.more_answers(100));
  for (int i = 0; i < 10; ++i) {
    it.install(i % 2 == 0 ? "brood-test-server-two" : "brood-test-server");
    REQUIRE(it.upgrade());
    REQUIRE(load.more_answers(50));
    it.install_script(i % 2 == 0 ? "exit 1" : "case \"$*\" in *--test-config) exit 0;; esac; exit 1");
    REQUIRE(it.upgrade_is_refused("exited with code 1"));
    REQUIRE(load.more_answers(50));
  }
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(it.server.running());
  REQUIRE(it.server.reaches(settled_at(11)));
  // Each was counted once, by the children of eleven generations.
  CHECK(it.server.reaches([&](const auto& service) {
    return service.total.finished == figures.answered && service.total.aborted == 0;
  }));
  CHECK(it.server.service().children_failed == 0);
  CHECK(it.server.snapshot().upgrades == 10);
}

TEST_CASE("figures go on: no snapshot shows fewer than the one before") {
  Upgradeable it(pool_of(3));
  Load load(it.server.address(), 2);
  std::uint64_t accepted = 0, started = 0;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(load.more_answers(30));
    const auto before = it.server.service();
    CHECK(before.total.accepted >= accepted);
    REQUIRE(it.upgrade());
    const auto after = it.server.service();
    CHECK(after.total.accepted >= before.total.accepted);
    CHECK(after.children_started >= before.children_started);
    CHECK(after.children_started >= started);
    accepted = after.total.accepted;
    started = after.children_started;
  }
  CHECK(load.stop().failed() == 0);
}

TEST_CASE("children are taken over as they are, and recycled by the usual rule") {
  Upgradeable it(pool_of(2));
  auto held = it.server.hold(2);
  const pid_t first = held[0].child(), second = held[1].child();
  held[0].ask("note in the middle");
  REQUIRE(it.upgrade());
  CHECK(held[0].child() == first);
  CHECK(parent_of(first) == it.server.pid());
  const auto slots = it.server.service().slots;
  const auto row = std::ranges::find(slots, first, &SlotSnapshot::pid);
  REQUIRE(row != slots.end());
  CHECK(row->generation == 1);
  CHECK(row->note == "in the middle");
  held[0].close();
  CHECK(eventually([&] { return !is_alive(first); }));
  CHECK(is_alive(second));
}

TEST_CASE("an open connection survives several upgrades") {
  Upgradeable it(pool_of(2));
  Client client = it.server.connect();
  const pid_t child = client.child();
  for (int i = 0; i < 4; ++i) {
    it.install(i % 2 == 0 ? "brood-test-server-two" : "brood-test-server");
    REQUIRE(it.upgrade());
    CHECK(client.child() == child);
    CHECK(client.ask("version") == "one");
  }
  CHECK(eventually([&] { return client.ask("leaving") == "yes"; }));
  client.close();
  CHECK(it.server.reaches(settled_at(5)));
  CHECK(it.server.service().total.aborted == 0);
}

TEST_CASE("twelve upgrades leak no descriptor, no child and no zombie") {
  Upgradeable it(pool_of(2));
  REQUIRE(it.upgrade());
  REQUIRE(it.server.reaches(settled_at(2)));
  const auto descriptors = it.descriptors();
  const auto of_child = [&] {
    const std::string path = "/proc/" + std::to_string(it.server.children().at(0)) + "/fd";
    return std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator());
  };
  const auto its = of_child();
  for (std::uint32_t i = 0; i < 12; ++i) {
    if (i % 4 == 3) {
      it.install_script("exit 1");
      REQUIRE(it.upgrade_is_refused("exited with code 1"));
      it.install("brood-test-server");
    }
    REQUIRE(it.upgrade());
    REQUIRE(it.server.reaches(settled_at(i + 3)));
  }
  CHECK(eventually([&] { return it.descriptors() == descriptors && of_child() == its; }));
  CHECK(eventually([&] { return it.server.children().size() == it.server.service().children(); }));
  CHECK(it.server.connect().ask("echo here") == "here");
}

TEST_CASE("TCP and unix listeners go on, and the path stays the server's own") {
  const TemporaryDirectory place;
  Upgradeable both(pool_of(2), "listen = 127.0.0.1:0\nlisten = unix:" + (place / "socket") + ",mode=0600\n",
                   {.listen = false});
  REQUIRE(both.server.addresses().size() == 2);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(both.upgrade());
    CHECK(Client(both.server.addresses()[0]).ask("echo tcp") == "tcp");
    CHECK(Client(both.server.addresses()[1]).ask("echo unix") == "unix");
  }
  CHECK(std::filesystem::exists(place / "socket"));
  both.server.signal(SIGTERM);
  CHECK(both.server.wait_exit() == exited(0));
  CHECK(!std::filesystem::exists(place / "socket"));
}

TEST_CASE("the pid file stays locked by the same process") {
  const TemporaryDirectory place;
  auto arguments = pool_of(1);
  arguments.push_back("--pid-file=" + (place / "pid"));
  Upgradeable it(arguments);
  const auto holder = [&] {
    const Descriptor file(::open((place / "pid").c_str(), O_RDWR | O_CLOEXEC));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    REQUIRE(::fcntl(file.get(), F_GETLK, &lock) == 0);
    return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
  };
  REQUIRE(holder() == it.server.pid());
  for (int i = 0; i < 3; ++i) REQUIRE(it.upgrade());
  CHECK(holder() == it.server.pid());
  CHECK(read_file(place / "pid") == std::to_string(it.server.pid()) + "\n");
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
  CHECK(!std::filesystem::exists(place / "pid"));
}
