// SPDX-License-Identifier: MIT
// Programs that can't take over: each is refused in time, the log says why, and the running server goes on
// with its children as before.
#include <doctest/doctest.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// No child of it leaves by itself.
const std::vector<std::string> four_children = {"--start-servers=4", "--min-spare-servers=1",
                                                "--max-spare-servers=20", "--max-requests-per-child=0"};

// Under load: a refused upgrade must not cost a connection or a child, or begin a new generation.
struct Unharmed : Upgradeable {
  explicit Unharmed(const std::string& settings = "", ServerOptions options = {})
      : Upgradeable(four_children, settings, std::move(options)),
        children(server.children()),
        load(server.address(), 2) {
    REQUIRE(load.more_answers(20));
  }
  void check() {
    CHECK(load.more_answers(20));
    CHECK(load.stop().failed() == 0);
    CHECK(server.running());
    CHECK(server.service().generation == 1);
    const auto now = server.children();
    for (const pid_t child : children) CHECK(std::ranges::find(now, child) != now.end());
    CHECK(server.connect().ask("version") == "one");
  }

  std::vector<pid_t> children;
  Load load;
};

void check_refused_settings(const std::string& settings, const std::string& why, const std::string& told) {
  Unharmed it;
  it.write_settings(settings);
  CHECK(it.upgrade_is_refused(why));
  CHECK(it.server.wait_for_log(told));
  it.check();
}

// A script that passes the test of the settings, and otherwise runs `otherwise`.
std::string unless_tested(const std::string& otherwise) {
  return "case \"$*\" in *--test-config) exit 0;; esac\n" + otherwise;
}

}  // namespace

TEST_CASE("a program that fails its test is refused, with what it said") {
  Unharmed it;
  it.install_script("echo the moon is wrong >&2\necho so is the sun\nexit 78");
  CHECK(it.upgrade_is_refused("--test-config exited with code 78"));
  CHECK(it.server.wait_for_log("upgrade: --test-config says: the moon is wrong"));
  CHECK(it.server.wait_for_log("upgrade: --test-config says: so is the sun"));
  it.check();
}

TEST_CASE("settings that the new program refuses are told with file and line") {
  check_refused_settings("\nno-such-thing = 5\n", "--test-config exited with code 78",
                         "settings.conf:2: unknown setting 'no-such-thing'");
}

TEST_CASE("a program that dies at once after its test is refused") {
  Unharmed it;
  it.install_script(unless_tested("exit 3"));
  CHECK(it.upgrade_is_refused("its rehearsal exited with code 3"));
  it.install_script(unless_tested("kill -SEGV $$"));
  CHECK(it.upgrade_is_refused("its rehearsal was killed by signal 11"));
  it.check();
}

TEST_CASE("a program that ends well, whatever it is given, is refused") {
  Unharmed it;
  it.install_script("exit 0");
  CHECK(it.upgrade_is_refused("its rehearsal ended without having read what is handed over"));
  it.check();
}

TEST_CASE("a file that is no program, and one that is not there, are refused") {
  Unharmed it;
  it.install_file("no program\n");
  CHECK(it.upgrade_is_refused("--test-config exited with code 78"));
  CHECK(it.server.wait_for_log("Exec format error"));
  std::filesystem::remove(it.program);
  CHECK(it.upgrade_is_refused("--test-config exited with code 78"));
  CHECK(it.server.wait_for_log("No such file or directory"));
  it.check();
  it.install("brood-test-server-two");
  REQUIRE(it.upgrade());
  CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
}

TEST_CASE("a program that does not end its test is killed at the deadline") {
  Unharmed it;
  it.install_script("exec sleep 1000");
  CHECK(it.upgrade_is_refused("--test-config took longer than 10s"));
  CHECK(eventually([&] { return it.server.children().size() == it.server.service().children(); }));
  it.check();
}

TEST_CASE("a test that is given up ends with what it has started") {
  Upgradeable it;
  it.install_script("sleep 600 & echo $! > " + (it.place / "new-pid") + "; mv " + (it.place / "new-pid") +
                    " " + (it.place / "pid") + "; wait");
  it.server.signal(SIGUSR2);
  REQUIRE(eventually([&] { return !read_file(it.place / "pid").empty(); }));
  const auto left = static_cast<pid_t>(std::stol(read_file(it.place / "pid")));
  CHECK(is_alive(left));
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
  CHECK(eventually([&] { return !is_alive(left); }));
}

TEST_CASE("a program that prints more than is read gets an error, and holds nobody up") {
  Unharmed it;
  it.install_script("yes | head -c 1000000\nexit 5");
  CHECK(it.upgrade_is_refused("--test-config exited with code 5"));
  CHECK(it.count("says: y") == 20);
  it.check();
}

TEST_CASE("another layout of the scoreboard is refused") {
  Unharmed it;
  // As if the program had been built for another layout: the version follows the magic.
  const auto write_version = [&](char version) {
    std::fstream board(it.server.scoreboard(), std::ios::in | std::ios::out | std::ios::binary);
    board.seekg(8);
    const char before = static_cast<char>(board.peek());
    board.seekp(8);
    board.put(version);
    return before;
  };
  const char right = write_version(99);
  CHECK(it.upgrade_is_refused("its rehearsal exited with code 78"));
  CHECK(it.server.wait_for_log("the scoreboard that is handed over has layout version 99"));
  write_version(right);
  it.check();
}

TEST_CASE("more max-clients than there are slots need a restart") {
  check_refused_settings("max-clients = 2000\n", "its rehearsal exited with code 78",
                         "max-clients = 2000 exceeds the");
}

TEST_CASE("a service more or less needs a restart") {
  struct Program {
    std::string name, settings;
  };
  const Program two{"brood-two-test-servers",
                    "[left]\nlisten = 127.0.0.1:0\n[right]\nlisten = 127.0.0.1:0\n"};
  const Program three{"brood-three-test-servers", two.settings + "[middle]\nlisten = 127.0.0.1:0\n"};
  const auto check_refused = [](const Program& running, const Program& next, const std::string& told,
                                const std::string& last) {
    Upgradeable it({}, running.settings, {.program = running.name, .listen = false});
    it.install(next.name);
    it.write_settings(next.settings);
    CHECK(it.upgrade_is_refused("its rehearsal exited with code 78"));
    CHECK(it.server.wait_for_log(told));
    CHECK(Client(it.server.addresses().back()).ask("echo " + last) == last);
  };
  SUBCASE("more") { check_refused(two, three, "service middle is not one of the running server's", "right"); }
  SUBCASE("less") { check_refused(three, two, "service middle is none of this program", "middle"); }
}

TEST_CASE("a program that fails in the parent's process gives all back to the former one") {
  Unharmed it("word = before\n");
  Client client = it.server.connect();
  const pid_t child = client.child();
  it.install("brood-test-server-two");
  // Only on_parent_start() reads it: neither the test nor the rehearsal does.
  it.write_settings("word = after\nrefuse = the stars are wrong\n");
  CHECK(it.upgrade_is_refused(
      "upgrade refused: on_parent_start: the stars are wrong; the former program goes on"));
  CHECK(it.count("info: upgraded: ") == 0);
  CHECK(client.child() == child);
  it.check();
  // It has the settings that were in force.
  CHECK(it.server.connect().ask("word") == "before");
  CHECK(read_file("/proc/" + std::to_string(it.server.pid()) + "/comm") == "server\n");
  CHECK(it.server.connect().ask("version") == "one");

  SUBCASE("which reloads, and is upgraded in its turn") {
    it.write_settings("word = later\n");
    it.server.signal(SIGHUP);
    CHECK(eventually([&] { return it.server.connect().ask("word") == "later"; }));
    REQUIRE(it.upgrade());
    CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
  }
  SUBCASE("again and again, without a leak") {
    const auto descriptors = it.descriptors();
    for (int i = 0; i < 3; ++i) CHECK(it.upgrade_is_refused("the stars are wrong"));
    CHECK(eventually([&] { return it.descriptors() == descriptors; }));
    CHECK(it.server.service().generation == 1);
    CHECK(it.server.snapshot().upgrades == 0);
    CHECK(eventually([&] { return it.server.children().size() == it.server.service().children(); }));
  }
  SUBCASE("which stops as ever") {
    client.close();
    it.server.signal(SIGTERM);
    CHECK(it.server.wait_exit() == exited(0));
    CHECK(read_file(it.server.scoreboard()).empty());
  }
}

TEST_CASE("whatever a program throws in the parent's process, it gives all back") {
  Upgradeable it(four_children, "word = before\n");
  it.write_settings("refuse = anything\n");
  CHECK(
      it.upgrade_is_refused("upgrade refused: on_parent_start: an exception that is no std::exception; the "
                            "former program goes on"));
  CHECK(it.server.connect().ask("word") == "before");
}

TEST_CASE("the former program has all back also when a file that its settings name is gone") {
  const TemporaryDirectory place;
  const std::string command = place / "on-failure";
  std::filesystem::copy_file("/bin/true", command);
  Unharmed it("on-failure = " + command + "\nword = before\n");
  std::filesystem::remove(command);
  it.install("brood-test-server-two");
  it.write_settings("refuse = the stars are wrong\n");
  CHECK(it.upgrade_is_refused(
      "upgrade refused: on_parent_start: the stars are wrong; the former program goes on"));
  it.check();
  CHECK(it.server.connect().ask("word") == "before");
}

TEST_CASE("a new listener that can't be opened gives all back, with the paths of the others") {
  const TemporaryDirectory place;
  const std::string listen = "listen = 127.0.0.1:0\nlisten = unix:" + (place / "socket") + "\n";
  Upgradeable it(four_children, listen, {.listen = false});
  Upgradeable other({"--start-servers=1"});
  it.write_settings(listen + "listen = unix:" + (place / "new") + "\nlisten = " + other.server.address() +
                    "\n");
  CHECK(it.upgrade_is_refused("Address already in use"));
  CHECK(it.server.wait_for_log("the former program goes on"));
  CHECK(Client("unix:" + (place / "socket")).ask("echo here") == "here");
  CHECK(!std::filesystem::exists(place / "new"));
  CHECK(it.server.service().generation == 1);
}

TEST_CASE("when the program dies after it has taken over, its children finish what they have and leave") {
  Upgradeable it(four_children);
  Client client = it.server.connect();
  const pid_t child = client.child();
  REQUIRE(it.upgrade());
  const auto children = it.server.children();
  it.server.signal(SIGKILL);
  CHECK(it.server.wait_exit() == killed_by(SIGKILL));
  CHECK(client.ask("echo still") == "still");
  CHECK(client.child() == child);
  client.close();
  CHECK(eventually([&] { return std::ranges::none_of(children, is_alive) && !is_alive(child); }));
}

TEST_CASE("with too few descriptors an upgrade is refused, and the server goes on") {
  // Not with the test's own descriptors. A sanitizer opens descriptors, too, and reports an error if it
  // can't.
  Unharmed it("",
              {.heed_sanitizers = false, .in_process = [] { ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); }});
  const auto limit_to = [&](rlim_t most) {
    rlimit limit{};
    REQUIRE(::prlimit(it.server.pid(), RLIMIT_NOFILE, nullptr, &limit) == 0);
    limit.rlim_cur = most;
    REQUIRE(::prlimit(it.server.pid(), RLIMIT_NOFILE, &limit, nullptr) == 0);
  };
  rlim_t used = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(it.server.pid()) + "/fd"))
    used = std::max<rlim_t>(used, std::stoul(entry.path().filename()) + 1);
  unsigned refused = 0;
  // From no free descriptor to more than enough: each is once the first that is missing.
  for (rlim_t more = 0; it.count("info: upgraded: ") == 0; ++more) {
    REQUIRE(more < 100);
    limit_to(used + more);
    it.server.signal(SIGUSR2);
    REQUIRE(eventually(
        [&] { return it.count("info: upgraded: ") == 1 || it.count("error: upgrade refused: ") > refused; }));
    refused = it.count("error: upgrade refused: ");
    REQUIRE(it.server.running());
  }
  CHECK(refused > 10);
  CHECK(it.count("the former program goes on") == 0);
  CHECK(it.load.more_answers(20));
  CHECK(it.load.stop().failed() == 0);
}
