// SPDX-License-Identifier: MIT
// `broodctl upgrade`: it learns the outcome over a socket that crosses exec(). Other orders that wait at that
// time are answered, too.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "broodctl.hpp"
#include "load.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::vector<std::string> two_children = {"--start-servers=2", "--min-spare-servers=2",
                                               "--max-spare-servers=4"};

std::string socket_of(const Upgradeable& it) {
  return std::filesystem::path(it.server.scoreboard()).replace_extension(".control").string();
}

// Goes on when the file `go` exists.
std::string waits_in_test(const Upgradeable& it) {
  return "case \"$*\" in *--test-config) while test ! -e " + (it.place / "go") +
         "; do sleep 0.01; done;; esac\n";
}

bool tests(const Upgradeable& it, unsigned times = 1) {
  return eventually([&] { return it.count("info: upgrade: testing ") == times; });
}

}  // namespace

TEST_CASE("the new program answers the client that ordered the upgrade") {
  Upgradeable it(two_children);
  it.install("brood-test-server-two");
  const CtlAnswer answer = ask(it.server, "upgrade");
  CHECK(answer.code == 0);
  CHECK_MESSAGE(answer.text.starts_with("upgraded: " + it.program + " took over 2 children of 1 service(s)"),
                answer.text);
  CHECK(it.server.running());
  CHECK(it.server.snapshot().upgrades == 1);
  // The new program takes orders, too.
  CHECK(ask(it.server, "check").code == 0);
  CHECK(ask(it.server, "reload").code == 0);
  CHECK(it.server.connect().ask("version") == "two");
  const CtlAnswer json = ask(it.server, "upgrade --json");
  CHECK(json.code == 0);
  const auto told = nlohmann::json::parse(json.text);
  CHECK_MESSAGE(json.text.find("took over") != std::string::npos, json.text);
  CHECK(told["code"] == 0);
}

TEST_CASE(
    "the answer to an upgrade says that children of the new program fail, and the former ones serve on") {
  const TemporaryDirectory directory;
  const std::string order = directory / "order";
  Upgradeable it(two_children, "child-start = " + order + "\n");
  it.install("brood-test-server-two");
  std::string fault;
  SUBCASE("at once") { fault = "crash"; }
  SUBCASE("later") { fault = "late 300"; }
  SUBCASE("with an exception") { fault = "throw the moon is gone"; }
  // A child that is still about to start would read the order, too.
  REQUIRE(it.server.reaches([](const auto& service) { return service.idle == 2; }));
  write_file(order, fault);
  const auto before = it.server.children();
  const CtlAnswer answer = ask(it.server, "upgrade");
  CHECK(answer.code == 71);
  CHECK_MESSAGE(answer.text.starts_with("upgraded: " + it.program + " took over 2 children"), answer.text);
  CHECK_MESSAGE(answer.says("children of generation 2 fail at once; the log says why"), answer.text);
  CHECK(it.server.connect().ask("version") == "one");
  for (const pid_t child : before) CHECK(::kill(child, 0) == 0);
  write_file(order, "");
  CHECK(it.server.reaches(settled_at(2)));
}

TEST_CASE("an upgrade is answered if all max-clients are busy, so that no new child can start") {
  Upgradeable it({"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=2"});
  auto held = it.server.hold(2);
  CHECK(ask(it.server, "upgrade").code == 0);
  held.clear();
  CHECK(it.server.reaches(settled_at(2)));
}

TEST_CASE("the client that ordered an upgrade that is refused learns why") {
  Upgradeable it(two_children);
  std::string why;
  SUBCASE("by its test") {
    it.install_script("exit 3");
    why = "--test-config exited with code 3";
  }
  SUBCASE("by its rehearsal") {
    it.install_script("case \"$*\" in *--test-config) exit 0;; esac; exit 4");
    why = "its rehearsal exited with code 4";
  }
  SUBCASE("by the new program in the parent's process") {
    it.install("brood-test-server-two");
    it.write_settings("refuse = the stars are wrong\n");
    why = "the stars are wrong";
  }
  for (int i = 0; i < 2; ++i) {
    const CtlAnswer answer = ask(it.server, "upgrade");
    CHECK(answer.code == 71);
    CHECK_MESSAGE(answer.says("upgrade refused: "), answer.text);
    CHECK_MESSAGE(answer.says(why), answer.text);
    CHECK_MESSAGE(answer.says("the running program goes on"), answer.text);
  }
  const CtlAnswer json = ask(it.server, "upgrade --json");
  CHECK(json.code == 71);
  CHECK(nlohmann::json::parse(json.text)["code"] == 71);
  CHECK_MESSAGE(json.says(why), json.text);
  CHECK(it.server.service().generation == 1);
  CHECK(it.server.connect().ask("version") == "one");
  // Corrected, it succeeds; and the earlier refusal is forgotten.
  it.install("brood-test-server-two");
  it.write_settings("");
  CHECK(ask(it.server, "upgrade").code == 0);
  CHECK(ask(it.server, "check").code == 0);
}

TEST_CASE("two who order an upgrade at once both hear of the one that comes of it") {
  Upgradeable it(two_children);
  it.install_script(waits_in_test(it) + "exec " + program_path("brood-test-server-two") + " \"$@\"");
  BroodctlProcess first(to(it.server, "upgrade"));
  REQUIRE(tests(it));
  BroodctlProcess second(to(it.server, "upgrade"));
  REQUIRE(it.server.wait_for_log("upgrade: one is under way already"));
  CHECK_FALSE(first.has_ended());
  CHECK_FALSE(second.has_ended());
  write_file(it.place / "go", "");
  for (BroodctlProcess* each : {&first, &second}) {
    const CtlAnswer answer = each->wait();
    CHECK_MESSAGE(answer.code == 0, answer.text);
    CHECK(answer.says("took over 2 children"));
  }
  CHECK(it.server.snapshot().upgrades == 1);
}

TEST_CASE("an upgrade goes on when nobody waits for it any more") {
  Upgradeable it(two_children);
  it.install_script(waits_in_test(it) + "exec " + program_path("brood-test-server-two") + " \"$@\"");
  BroodctlProcess upgrade(to(it.server, "upgrade"));
  REQUIRE(tests(it));
  upgrade.kill();
  write_file(it.place / "go", "");
  REQUIRE(it.eventually_counts("info: upgraded: ", 1));
  CHECK(ask(it.server, "check").code == 0);
  CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
}

TEST_CASE(
    "a client that waits for another order when the program is replaced learns that the server runs on") {
  Upgradeable it(two_children);
  auto held = it.server.hold(1);
  BroodctlProcess reload(to(it.server, "reload"));
  REQUIRE(it.server.reaches([](const auto& service) { return service.generation == 2; }));
  CHECK_FALSE(reload.has_ended());
  REQUIRE(ask(it.server, "upgrade").code == 0);
  const CtlAnswer answer = reload.wait();
  CHECK(answer.code == 69);
  CHECK_MESSAGE(answer.says("was upgraded"), answer.text);
  held.clear();
  CHECK(it.server.reaches(settled_at(3)));
}

TEST_CASE("who asks while programs are replaced is answered, or told; nobody hangs") {
  Upgradeable it(two_children);
  std::atomic<bool> over = false;
  unsigned answered = 0, told = 0;
  std::string other;
  std::thread asker([&] {
    while (!over) {
      const CtlAnswer answer = ask(it.server, "check");
      if (answer.code == 0)
        ++answered;
      else if (answer.code == 69 && answer.says("was upgraded"))
        ++told;
      else
        other += answer.text;
    }
  });
  for (int i = 0; i < 10; ++i) CHECK(ask(it.server, "upgrade").code == 0);
  over = true;
  asker.join();
  CHECK(answered > 0);
  CHECK_MESSAGE(other.empty(), other);
}

TEST_CASE("the control socket stays the server's own, and ten upgrades leak no descriptor") {
  Upgradeable it(two_children);
  REQUIRE(ask(it.server, "upgrade").code == 0);
  REQUIRE(it.server.reaches(settled_at(2)));
  const auto descriptors = it.descriptors();
  for (std::uint32_t i = 0; i < 10; ++i) {
    REQUIRE(ask(it.server, "upgrade").code == 0);
    REQUIRE(it.server.reaches(settled_at(i + 3)));
  }
  CHECK(eventually([&] { return it.descriptors() == descriptors; }));
  struct stat status {};
  REQUIRE(::stat(socket_of(it).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(status.st_uid == ::geteuid());
  for (const auto& entry : std::filesystem::directory_iterator(it.server.directory().path()))
    CHECK(entry.path().string().find(".control.") == std::string::npos);
  CHECK(ask(it.server, "stop").code == 0);
  CHECK_FALSE(std::filesystem::exists(socket_of(it)));
}

TEST_CASE("an upgrade is refused while the server stops, and a client that waits for one learns that") {
  Upgradeable it(two_children);
  auto held = it.server.hold(1);
  it.install_script(waits_in_test(it) + "exit 0");
  BroodctlProcess upgrade(to(it.server, "upgrade"));
  REQUIRE(tests(it));
  it.server.signal(SIGTERM);
  const CtlAnswer given_up = upgrade.wait();
  CHECK_MESSAGE((given_up.code == 71 || given_up.code == 75), given_up.text);
  CHECK(given_up.says("stop"));
  const CtlAnswer late = ask(it.server, "upgrade");
  CHECK(late.code == 75);
  CHECK(late.says("the server is stopping"));
  held.clear();
  CHECK(it.server.wait_exit() == exited(0));
}
