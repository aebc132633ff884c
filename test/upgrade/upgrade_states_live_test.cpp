// SPDX-License-Identifier: MIT
// An upgrade of services that are paused, stopped, on their way out, scaled or throttled, and of the
// processes beside the children. And the parent is killed around an upgrade.
#include <nlohmann/json.hpp>

#include "broodctl.hpp"
#include "load.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// Two services, and orders for them.
struct Two {
  explicit Two(const std::string& left = "")
      : it({}, settings(left), {.program = "brood-two-test-servers", .listen = false}) {}

  static std::string settings(const std::string& left) {
    return "start-servers = 2\nmin-spare-servers = 2\nmax-spare-servers = 4\n"
           "\n[left]\nlisten = 127.0.0.1:0\n" +
           left + "\n[right]\nlisten = 127.0.0.1:0\n";
  }
  CtlAnswer ask(const std::string& order) const { return test::ask(it.server, order); }
  ServiceSnapshot left() const { return it.server.snapshot().services.at(0); }
  Client to_left() const { return Client(left().listeners); }

  Upgradeable it;
};

bool ends(pid_t pid) {
  return eventually([&] { return !is_alive(pid); });
}

}  // namespace

TEST_CASE("a paused service stays paused over upgrades, and serves who waited when it is resumed") {
  Two two;
  REQUIRE(two.ask("pause left").code == 0);
  Client waiting = two.to_left();
  waiting.send("echo served\n");
  for (int i = 0; i < 2; ++i) REQUIRE(two.ask("upgrade").code == 0);
  CHECK(two.left().state == ServiceState::paused);
  CHECK(two.left().children() == 0);
  SUBCASE("by an order") { CHECK(two.ask("resume left").code == 0); }
  SUBCASE("after an upgrade that was given back") {
    two.it.write_settings(Two::settings("refuse = no"));
    REQUIRE(two.ask("upgrade").code == 71);
    CHECK(two.left().state == ServiceState::paused);
    CHECK(two.ask("resume left").code == 0);
  }
  CHECK(waiting.line() == "served");
  CHECK(two.left().state == ServiceState::running);
}

TEST_CASE("a service whose children still leave for a pause is upgraded, and stays paused") {
  Two two;
  Client client = two.to_left();
  const pid_t child = client.child();
  BroodctlProcess pause(to(two.it.server, "pause left"));
  REQUIRE(eventually([&] { return two.left().state == ServiceState::paused; }));
  REQUIRE(two.ask("upgrade").code == 0);
  CHECK(pause.wait().says("was upgraded"));
  CHECK(client.child() == child);
  client.close();
  CHECK(eventually([&] { return two.left().children() == 0; }));
  CHECK(two.left().state == ServiceState::paused);
  CHECK(two.ask("resume left").code == 0);
  CHECK(two.to_left().ask("echo again") == "again");
}

TEST_CASE("a stopped service stays stopped over upgrades, and is started by the new program") {
  Two two("word = old\n");
  REQUIRE(two.ask("stop left").code == 0);
  for (int i = 0; i < 2; ++i) REQUIRE(two.ask("upgrade").code == 0);
  two.it.write_settings(Two::settings("refuse = no\n"));
  REQUIRE(two.ask("upgrade").code == 71);
  CHECK(two.left().state == ServiceState::stopped);
  CHECK_THROWS(static_cast<void>(two.to_left()));  // nobody listens
  two.it.write_settings(Two::settings("word = new\n"));
  REQUIRE(two.ask("upgrade").code == 0);
  CHECK(two.left().state == ServiceState::stopped);
  CHECK(two.ask("start left").code == 0);
  CHECK(two.to_left().ask("word") == "new");
  CHECK(two.ask("restart left").code == 0);
  CHECK(two.to_left().ask("word") == "new");
}

TEST_CASE("an upgrade is refused while a service stops or restarts, and done when it has") {
  Two two;
  std::string order = "stop";
  SUBCASE("stop") {}
  SUBCASE("restart") { order = "restart"; }
  Client client = two.to_left();
  client.child();
  BroodctlProcess stop(to(two.it.server, order + " left"));
  REQUIRE(eventually([&] { return two.left().state == ServiceState::stopping; }));
  const CtlAnswer refused = two.ask("upgrade");
  CHECK(refused.code == 71);
  CHECK_MESSAGE(refused.says("service left is stopping: wait until it has stopped"), refused.text);
  CHECK(client.ask("echo still") == "still");
  client.close();
  CHECK(stop.wait().code == 0);
  CHECK(two.ask("upgrade").code == 0);
  CHECK(two.ask("start left").code == 0);
  CHECK(two.to_left().ask("echo again") == "again");
}

TEST_CASE("after an upgrade the limits of the settings hold again, and are not marked") {
  Two two;
  REQUIRE(two.ask("scale left max-clients=77").code == 0);
  REQUIRE(two.left().scaled);
  REQUIRE(two.ask("upgrade").code == 0);
  CHECK(two.left().max_clients == 256);
  CHECK_FALSE(two.left().scaled);
  CHECK(two.ask("scale left max-clients=78").code == 0);
  CHECK(two.left().scaled);
}

TEST_CASE("a program that gives all back leaves the limits as they were scaled, and the generation") {
  const std::string listen = "listen = 127.0.0.1:0\n";
  Upgradeable it({"--start-servers=1", "--min-spare-servers=1"}, listen,
                 {.program = "brood-event-test-server", .listen = false});
  const Upgradeable other;
  REQUIRE(ask(it.server, "scale server max-connections-per-child=7 max-clients=77").code == 0);
  REQUIRE(it.server.service().generation == 2);
  it.write_settings(listen + "listen = " + other.server.address() + '\n');
  CHECK(it.upgrade_is_refused("Address already in use; the former program goes on"));
  CHECK(it.server.service().max_clients == 77);
  CHECK(it.server.service().scaled);
  CHECK(it.server.service().generation == 2);
  it.write_settings(listen);
  CHECK(ask(it.server, "reload").code == 0);
  CHECK_FALSE(it.server.service().scaled);
}

TEST_CASE("a service that is throttled is tried again by the new program, and the other goes on") {
  const TemporaryDirectory place;
  write_file(place / "order", "exit 71\n");
  Two two;
  two.it.write_settings(Two::settings("child-start = " + (place / "order") + "\n"));
  two.it.server.signal(SIGHUP);
  REQUIRE(two.it.server.wait_for_log("service left: children fail at once"));
  const CtlAnswer answer = two.ask("upgrade");
  CHECK_MESSAGE(answer.code == 71, answer.text);
  CHECK_MESSAGE(answer.says(" took over "), answer.text);
  CHECK_MESSAGE(answer.says("service left: children of generation 3 fail at once"), answer.text);
  CHECK(two.it.count("service left: children fail at once") >= 2);
  write_file(place / "order", "\n");
  CHECK(eventually([&] { return two.left().idle >= 2; }));
  CHECK(two.to_left().ask("echo again") == "again");
}

TEST_CASE("after an upgrade a throttled service is tried once at once, and then goes on with its delays") {
  const TemporaryDirectory place;
  write_file(place / "order", "exit 71\n");
  Two two;
  two.it.write_settings(Two::settings("child-start = " + (place / "order") + "\n"));
  two.it.server.signal(SIGHUP);
  const std::string fails = "service left: children fail at once; the next one is started in ";
  REQUIRE(two.it.server.wait_for_log(fails + "4s"));
  const auto started = two.left().children_started;
  REQUIRE(two.it.upgrade());
  CHECK(two.it.server.wait_for_log(fails + "8s"));
  CHECK(two.it.count(fails + "1s") == 1);
  CHECK(two.it.count(fails + "2s") == 1);
  CHECK(two.left().children_started <= started + 2);  // one by the former program, if it took so long
}

TEST_CASE("detached children are counted over an upgrade, ended after detach-timeout, and reaped") {
  Upgradeable it({"--start-servers=1", "--min-spare-servers=1"}, "detach-timeout = 10m\n");
  Client client = it.server.connect();
  const pid_t child = client.child();
  SUBCASE("ended when they take too long") {
    REQUIRE(client.ask("detach") == "detached");
    REQUIRE(it.server.reaches([](const auto& service) { return service.detached == 1; }));
    REQUIRE(it.upgrade());
    CHECK(parent_of(child) == it.server.pid());
    CHECK(it.server.service().detached == 1);
    it.write_settings("detach-timeout = 1s\n");
    it.server.signal(SIGHUP);
    CHECK(client.ending() == Ending::closed);
    CHECK(ends(child));
    CHECK(it.server.wait_for_log("child " + std::to_string(child) + ", detached"));
    CHECK(it.server.reaches([](const auto& service) { return service.children_failed == 1; }));
  }
  SUBCASE("when they are done") {
    REQUIRE(client.ask("detach") == "detached");
    REQUIRE(it.upgrade());
    client.close();
    CHECK(ends(child));
    CHECK(it.server.wait_for_log("detached child " + std::to_string(child)));
    CHECK(it.server.service().children_failed == 0);
  }
  CHECK(it.server.reaches([](const auto& service) { return service.detached == 0; }));
  CHECK(process_state(child) == '\0');
}

TEST_CASE("a child that detaches while the program is replaced is not lost") {
  Upgradeable it({"--start-servers=4", "--min-spare-servers=2"});
  for (int i = 0; i < 5; ++i) {
    Client client = it.server.connect();
    const pid_t child = client.child();
    it.server.signal(SIGUSR2);
    REQUIRE(client.ask("detach") == "detached");
    REQUIRE(it.eventually_counts("info: upgraded: ", static_cast<unsigned>(i) + 1));
    CHECK(client.ask("echo on") == "on");
    client.close();
    CHECK(ends(child));
  }
  CHECK(it.server.reaches([](const auto& service) { return service.detached == 0; }));
  CHECK(it.server.service().children_failed == 0);
}

TEST_CASE("a command of on-failure goes on over an upgrade, and none comes before its time") {
  const TemporaryDirectory place;
  write_file(place / "command", "#!/bin/sh\necho run >> " + (place / "runs") + "\nwhile test ! -e " +
                                    (place / "go") + "; do sleep 0.01; done\necho end >> " +
                                    (place / "runs") + "\n");
  std::filesystem::permissions(place / "command", std::filesystem::perms(0755));
  Upgradeable it({"--start-servers=2", "--min-spare-servers=1", "--on-failure=" + (place / "command")});
  const auto fail = [&] {
    Client client = it.server.connect();
    client.child();
    client.send("crash\n");
    CHECK(client.ending() == Ending::closed);
  };
  fail();
  REQUIRE(eventually([&] { return read_file(place / "runs") == "run\n"; }));
  REQUIRE(it.upgrade());
  fail();
  REQUIRE(it.server.reaches([](const auto& service) { return service.children_failed == 2; }));
  CHECK(stays([&] { return read_file(place / "runs") == "run\n"; }, 200ms));
  write_file(place / "go", "");
  CHECK(eventually([&] { return read_file(place / "runs") == "run\nend\n"; }));
  CHECK(eventually([&] { return it.server.children().size() == it.server.service().children(); }));
  CHECK(stays([&] { return read_file(place / "runs") == "run\nend\n"; }, 200ms));
}

TEST_CASE("a parent that is killed around an upgrade takes its children along, and the next one starts") {
  Upgradeable it({"--start-servers=3", "--name=mine"});
  std::vector<pid_t> others;
  SUBCASE("right after it") { REQUIRE(it.upgrade()); }
  SUBCASE("while the program is tested") {
    it.install_script("echo $$ > " + (it.place / "pid") + "; exec sleep 600");
    it.server.signal(SIGUSR2);
    REQUIRE(eventually([&] { return read_file(it.place / "pid").ends_with('\n'); }));
    others.push_back(std::stoi(read_file(it.place / "pid")));
  }
  SUBCASE("in the rehearsal") {
    it.install_script("case \"$*\" in *--test-config) exit 0;; esac\necho $$ > " + (it.place / "pid") +
                      "; exec sleep 600");
    it.server.signal(SIGUSR2);
    REQUIRE(eventually([&] { return read_file(it.place / "pid").ends_with('\n'); }));
    others.push_back(std::stoi(read_file(it.place / "pid")));
  }
  SUBCASE("between exec() and taking over") {
    // The rehearsal has another parent than the program that takes over.
    it.install_script("case \"$*\" in *--test-config) exit 0;; esac\ntest $PPID = " +
                      std::to_string(it.server.pid()) + " && exec " + program_path("brood-test-server") +
                      " \"$@\"\n: > " + (it.place / "pid") + "; exec sleep 600");
    it.server.signal(SIGUSR2);
    REQUIRE(eventually([&] { return std::filesystem::exists(it.place / "pid"); }));
  }
  Client client = it.server.connect();
  const pid_t busy = client.child();
  const auto children = it.server.children();
  it.server.signal(SIGKILL);
  CHECK(it.server.wait_exit() == killed_by(SIGKILL));
  CHECK(client.ask("echo still") == "still");
  client.close();
  for (const pid_t child : children) CHECK(ends(child));
  CHECK(ends(busy));
  for (const pid_t other : others) CHECK(ends(other));
  ServerProcess next({"--name=mine", "--runtime-directory=" + it.server.directory().path()},
                     {.runtime_directory = false});
  CHECK(next.connect().ask("echo next") == "next");
  CHECK(ask(next, "check").code == 0);
}
