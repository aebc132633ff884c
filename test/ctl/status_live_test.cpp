// SPDX-License-Identifier: MIT
// broodctl status on real servers: healthy, with problems, stopped, crashed, and missing.
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "broodctl.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

using Answer = CtlAnswer;

Answer status_of(const ServerProcess& server, const std::string& options = "") {
  return broodctl("status " + options + " " + server.scoreboard());
}

std::string in(const TemporaryDirectory& directory) { return " --runtime-directory=" + directory.path(); }

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a healthy server") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=2"});
  Client client = server.connect();
  const pid_t child = client.child();
  client.ask("note GET /well");
  const Answer answer = status_of(server);
  CHECK(answer.code == 0);
  CHECK(answer.text.starts_with("OK: brood-test-server, parent " + std::to_string(server.pid()) +
                                " running, up "));
  CHECK(has(answer.text, "listens on   " + server.address()));
  CHECK(has(answer.text, std::to_string(child) + "  busy"));
  CHECK(has(answer.text, "GET /well"));
}

TEST_CASE("JSON is the snapshot") {
  ServerProcess server;
  Client client = server.connect();
  const pid_t child = client.child();
  // Nothing changes any more after another spare was started.
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 5 && service.starting == 0; }));
  const Answer answer = status_of(server, "--json");
  CHECK(answer.code == 0);
  const auto json = nlohmann::json::parse(answer.text);
  const auto service = server.service();
  const auto& told = json["services"][0];
  CHECK(json["parent"]["pid"] == server.pid());
  CHECK(told["slots"].size() == service.slots.size());
  CHECK(told["children"]["total"] == service.children());
  CHECK(told["children"]["busy"] == 1);
  CHECK(told["total"]["accepted"] == 1);
  CHECK(told["slots_add_up"] == true);
  CHECK(told["connections_add_up"] == true);
  const auto& slots = told["slots"];
  const auto busy =
      std::find_if(slots.begin(), slots.end(), [](const auto& slot) { return slot["state"] == "busy"; });
  REQUIRE(busy != slots.end());
  CHECK((*busy)["pid"] == child);
  CHECK((*busy)["figures"]["accepted"] == 1);
}

TEST_CASE("the server is found by its name, by its file, and as the only one") {
  ServerProcess server;
  const auto& place = server.directory();
  for (const std::string& which :
       {in(place), in(place) + " brood-test-server", in(place) + " -- brood-test-server",
        " --runtime-directory " + place.path(), " " + server.scoreboard()})
    CHECK(broodctl("status" + which).code == 0);
  const Answer other = broodctl("status" + in(place) + " test_server");
  CHECK(other.code == 2);
  CHECK(has(other.text, "no scoreboard of 'test_server'"));
  CHECK(has(other.text, "(there are: brood-test-server)"));
}

TEST_CASE("with several servers one must be named") {
  ServerProcess server;
  std::filesystem::copy_file(server.scoreboard(), server.directory() / "another.scoreboard");
  const Answer answer = broodctl("status" + in(server.directory()));
  CHECK(answer.code == 64);
  CHECK(has(answer.text, "name one of: another brood-test-server"));
}

TEST_CASE("of several servers the only one that runs is meant") {
  ServerProcess server;
  {
    ServerProcess dead;
    dead.signal(SIGKILL);
    dead.wait_exit();
    std::filesystem::copy_file(dead.scoreboard(), server.directory() / "dead.scoreboard");
  }
  std::ofstream(server.directory() / "nonsense.scoreboard") << "this is not a scoreboard";
  const Answer answer = broodctl("status" + in(server.directory()));
  CHECK(answer.code == 0);
  CHECK(has(answer.text, "brood-test-server"));
  CHECK(broodctl("check" + in(server.directory())).code == 0);
  CHECK(broodctl("status" + in(server.directory()) + " dead").code == 2);
}

TEST_CASE("max-clients is reached: a warning while it lasts") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=1", "--max-spare-servers=2", "--max-clients=2"});
  CHECK(status_of(server).code == 0);
  auto held = server.hold(2);
  const Answer answer = status_of(server);
  CHECK(answer.code == 1);
  CHECK(has(answer.text, "max-clients = 2 is reached"));
  held.clear();
  CHECK(eventually([&] { return status_of(server).code == 0; }));
}

TEST_CASE("a stopped child: a warning") {
  ServerProcess server;
  const pid_t child = server.children().front();
  ::kill(child, SIGSTOP);
  CHECK(eventually([&] { return status_of(server).code == 1; }));
  CHECK(has(status_of(server).text, "1 child stopped by a signal"));
  ::kill(child, SIGCONT);
  CHECK(eventually([&] { return status_of(server).code == 0; }));
}

TEST_CASE("children that fail at once, and none serves: critical") {
  const TemporaryDirectory place;
  std::ofstream(place / "order") << "exit 71\n";
  ServerProcess server({"--child-start=" + (place / "order")}, {.wait_ready = false});
  const std::string arguments = "status " + (server.directory() / "brood-test-server.scoreboard");
  CHECK(eventually([&] { return has(broodctl(arguments).text, "and none serves; the next start is in"); }));
  CHECK(broodctl(arguments).code == 2);
}

TEST_CASE("children that fail at once while others serve: a warning") {
  const TemporaryDirectory place;
  ServerProcess server({"--start-servers=5", "--child-start=" + (place / "order")});
  std::ofstream(place / "order") << "exit 71\n";
  const auto held = server.hold(1);
  CHECK(eventually([&] {
    const Answer answer = status_of(server);
    return has(answer.text, "children fail at once") && answer.code == 1;
  }));
}

TEST_CASE("a stopped parent: critical, and the page is complete") {
  ServerProcess server;
  server.signal(SIGSTOP);
  CHECK(eventually([&] { return status_of(server).code == 2; }));
  const Answer answer = status_of(server);
  CHECK(answer.text.starts_with("CRITICAL: brood-test-server, parent " + std::to_string(server.pid()) +
                                " stopped"));
  CHECK(has(answer.text, "kill -CONT " + std::to_string(server.pid())));
  CHECK(has(answer.text, "SLOT"));
  server.signal(SIGCONT);
  CHECK(eventually([&] { return status_of(server).code == 0; }));
}

TEST_CASE("status works if every child is stopped during its work") {
  ServerProcess server;
  auto held = server.hold(3);
  for (const pid_t child : server.children()) ::kill(child, SIGSTOP);
  CHECK(eventually([&] { return status_of(server).code == 1; }));
  for (const pid_t child : server.children()) ::kill(child, SIGCONT);
}

TEST_CASE("a crashed server: critical") {
  ServerProcess server;
  Client client = server.connect();
  client.child();
  server.signal(SIGKILL);
  REQUIRE(server.wait_exit() == killed_by(SIGKILL));
  const Answer answer = status_of(server);
  CHECK(answer.code == 2);
  CHECK(has(answer.text, " gone, was started "));
  CHECK(has(answer.text, "1 accepted = 0 finished + 0 aborted + 1 open"));
  CHECK(status_of(server, "--json").code == 2);
}

TEST_CASE("a server that was stopped leaves nothing") {
  ServerProcess server;
  server.signal(SIGTERM);
  REQUIRE(server.wait_exit() == exited(0));
  const Answer answer = status_of(server);
  CHECK(answer.code == 2);
  CHECK(has(answer.text, "No such file"));
  CHECK(broodctl("status" + in(server.directory())).code == 2);
}

TEST_CASE("files that are not scoreboards") {
  const TemporaryDirectory place;
  const std::string path = place / "x.scoreboard";
  for (const std::string& content : {std::string(), std::string("BROOD"), std::string(100'000, 'x')}) {
    std::ofstream(path) << content;
    CHECK(broodctl("status " + path).code == 2);
  }
  CHECK(broodctl("status " + place.path() + "/").code == 2);
}

TEST_CASE("a scoreboard that this user may not read") {
  if (::geteuid() != 0) return;
  ServerProcess server;
  std::filesystem::permissions(server.directory().path(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  const Answer answer = broodctl("status " + server.scoreboard(), "setpriv --reuid=65534 --clear-groups ");
  CHECK(answer.code == 77);
  CHECK(has(answer.text, "Permission denied"));
}

TEST_CASE("wrong usage") {
  for (const char* arguments :
       {"", "restart", "status --jason", "status a b", "status --runtime-directory", "status ''"})
    CHECK(broodctl(arguments).code == 64);
  CHECK(broodctl("--help").code == 0);
  CHECK(broodctl("status --help").code == 0);
  CHECK(broodctl("--version").code == 0);
  CHECK(broodctl("--version").text.starts_with("broodctl 0."));
  CHECK(broodctl("status --runtime-directory=/no/such/place -- --help").code == 2);
  CHECK(broodctl("status --runtime-directory=/no/such/place").code == 2);
}

TEST_CASE("output that cannot be written is a failure") {
  ServerProcess server;
  CHECK(broodctl("status " + server.scoreboard() + " >/dev/full").code == 74);
}
