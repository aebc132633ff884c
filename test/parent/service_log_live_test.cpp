// SPDX-License-Identifier: MIT
// A log for each service: who writes there, how a reload changes it, and how children follow a rotation.
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "controlled.hpp"
#include "root.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// The log of left is a file of its own, in JSON.
struct Logs {
  explicit Logs(const std::string& left = "", const std::string& shared = "")
      : more(left), all(shared), two(settings("own"), all) {}

  std::string settings(const std::string& file) const {
    return "log = " + path(file) + "\nlog-format = json\n" + more;
  }
  std::string path(const std::string& file) const { return place / file; }
  bool has(const std::string& file, const std::string& part) const {
    return std::filesystem::exists(path(file)) && read_file(path(file)).find(part) != std::string::npos;
  }
  // A child of left says this, until it is there.
  bool comes_to(const std::string& file, const std::string& word) const {
    return eventually([&] {
      CHECK(two.to_left().ask("log " + word) == "logged");
      return has(file, word);
    });
  }

  TemporaryDirectory place;
  std::string more, all;
  Controlled two;
};

}  // namespace

TEST_CASE("a service has its own log: its children write there and the parent in both") {
  const Logs logs;
  REQUIRE(logs.two.settles());
  CHECK(logs.two.to_left().ask("log leftish") == "logged");
  CHECK(logs.two.to_right().ask("log rightish") == "logged");
  CHECK(logs.has("own", "\"level\":\"warning\""));
  CHECK(logs.has("own", "\"service\":\"left\""));
  CHECK(logs.has("own", "\"message\":\"leftish\""));
  CHECK_FALSE(logs.has("own", "rightish"));
  CHECK(logs.two.server.count_in_log("rightish") == 1);
  CHECK(logs.two.server.count_in_log("leftish") == 0);
  CHECK(logs.two.ask("pause left").code == 0);
  CHECK(logs.has("own", "service left: paused"));
  CHECK(logs.two.server.count_in_log("service left: paused") == 1);
  CHECK(logs.two.ask("pause right").code == 0);
  CHECK_FALSE(logs.has("own", "right: paused"));
}

TEST_CASE("children of all logs follow a rotation") {
  const Logs logs;
  REQUIRE(logs.two.settles());
  Client old = logs.two.to_left();
  CHECK(old.ask("log before") == "logged");
  std::filesystem::rename(logs.path("own"), logs.path("own.1"));
  SUBCASE("by the signal") { logs.two.server.signal(SIGUSR1); }
  SUBCASE("by the order") { CHECK(logs.two.ask("reopen").code == 0); }
  CHECK(logs.comes_to("own", "after"));
  CHECK(old.ask("log same-child") == "logged");
  CHECK(logs.has("own", "same-child"));
  CHECK_FALSE(logs.has("own.1", "same-child"));
}

TEST_CASE("a child follows a rotation to a file that it may not open") {
  if (skipped_without_root()) return;
  const TemporaryDirectory place;
  ServerProcess server({"--user=nobody", "--log=" + (place / "log")}, {.log = false, .wait_ready = false});
  const auto log = [&](const std::string& name) { return read_file(place / name); };
  REQUIRE(eventually([&] { return log("log").find("ready: ") != std::string::npos; }));
  const std::string line = log("log");
  const std::string address = line.substr(line.find(" on ") + 4, line.find(", pid") - line.find(" on ") - 4);
  Client client(address);
  CHECK(client.ask("log before") == "logged");
  SUBCASE("of its parent") {}
  SUBCASE("of the program that its parent has become") {
    server.signal(SIGUSR2);
    REQUIRE(eventually([&] { return log("log").find("upgraded: ") != std::string::npos; }));
  }
  std::filesystem::rename(place / "log", place / "log.1");
  REQUIRE(::chmod(place.path().c_str(), 0700) == 0);  // nobody can't reach it any more
  server.signal(SIGUSR1);
  REQUIRE(eventually([&] { return std::filesystem::exists(place / "log"); }));
  CHECK(eventually([&] {
    CHECK(client.ask("log after") == "logged");
    return log("log").find("after") != std::string::npos;
  }));
  CHECK(log("log").find("ermission") == std::string::npos);
  CHECK(log("log.1").find("ermission") == std::string::npos);
}

TEST_CASE("a program in a slot has the log of its service and follows a rotation") {
  const TemporaryDirectory place;
  ServerProcess server({"--command=" + program_path("brood-test-server"), "--log-format=json"},
                       {.program = "brood-command-host", .wait_ready = false});
  REQUIRE(eventually([&] { return server.log().find("ready: ") != std::string::npos; }));
  const std::string line = server.log();
  const std::string address = line.substr(line.find(" on ") + 4, line.find(", pid") - line.find(" on ") - 4);
  Client client(address);
  CHECK(client.ask("log before") == "logged");
  CHECK(server.count_in_log("\"service\":\"brood-command-host\",") >= 1);
  CHECK(server.count_in_log("\"message\":\"before\"") == 1);
  std::filesystem::rename(server.log_path(), server.log_path() + ".1");
  server.signal(SIGUSR1);
  CHECK(eventually([&] {
    CHECK(client.ask("log after") == "logged");
    return std::filesystem::exists(server.log_path()) && server.count_in_log("\"message\":\"after\"") > 0;
  }));
}

TEST_CASE("the log may be standard output") {
  ServerProcess server({"--log=stdout", "--log-format=json"}, {.log = false, .wait_ready = false});
  const auto has = [&](const std::string& part) {
    return server.standard_output().find(part) != std::string::npos;
  };
  REQUIRE(eventually([&] { return has("\"message\":\"ready: "); }));
  for (const pid_t child : server.children()) ::kill(child, SIGKILL);
  CHECK(eventually(
      [&] { return has("\"service\":\"brood-test-server\",\"pid\":" + std::to_string(server.pid())); }));
  CHECK(server.standard_error().empty());
}

TEST_CASE("a reload applies the log settings of a service") {
  const Logs logs;
  REQUIRE(logs.two.settles());
  SUBCASE("another file") {
    logs.two.write(logs.settings("other"));
    CHECK(logs.two.ask("reload").code == 0);
    CHECK(logs.comes_to("other", "elsewhere"));
    CHECK_FALSE(logs.has("own", "elsewhere"));
  }
  SUBCASE("that of the server") {
    logs.two.write("");
    CHECK(logs.two.ask("reload").code == 0);
    CHECK(logs.two.to_left().ask("log elsewhere") == "logged");
    CHECK(logs.two.server.count_in_log("warning: elsewhere") == 1);
    CHECK_FALSE(logs.has("own", "elsewhere"));
  }
  SUBCASE("another level") {
    logs.two.write(logs.settings("own") + "log-level = error\n");
    CHECK(logs.two.ask("reload").code == 0);
    CHECK(logs.two.to_left().ask("log quiet") == "logged");
    CHECK_FALSE(logs.has("own", "quiet"));
  }
}

TEST_CASE("a log of a service that can't be opened is a mistake") {
  const Logs logs;
  REQUIRE(logs.two.settles());
  const auto before = Controlled::pids(logs.two.left());
  logs.two.write("log = /no/such/directory/log\n");
  for (const char* order : {"check", "reload", "restart left"}) {
    CAPTURE(order);
    const CtlAnswer answer = logs.two.ask(order);
    CHECK(answer.code != 0);
    CHECK(answer.says("service left: open log /no/such/directory/log: No such file or directory"));
  }
  CHECK(Controlled::pids(logs.two.left()) == before);
  CHECK(logs.comes_to("own", "still"));
  ServerProcess fresh({"--config=" + logs.two.settings(), "--test-config"},
                      {.program = "brood-two-test-servers", .listen = false, .wait_ready = false});
  CHECK(fresh.wait_exit() != exited(0));
  CHECK(fresh.standard_error().find("open log /no/such/directory/log") != std::string::npos);
}

TEST_CASE("an upgrade keeps the logs of services") {
  const Logs logs;
  REQUIRE(logs.two.settles());
  CHECK(logs.two.ask("upgrade").code == 0);
  CHECK(logs.comes_to("own", "upgraded"));
  std::filesystem::rename(logs.path("own"), logs.path("own.1"));
  CHECK(logs.two.ask("reopen").code == 0);
  CHECK(logs.comes_to("own", "reopened"));
  CHECK(logs.two.server.count_in_log("reopened") == 0);
}
