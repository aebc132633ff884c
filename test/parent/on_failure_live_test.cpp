// SPDX-License-Identifier: MIT
// The command that is run when children fail: what it is given, how often it runs, and that nothing waits for
// it.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <sstream>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

void write_script(const std::string& path, const std::string& lines) {
  write_file(path, lines);
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
}

// A command that appends its variables to a file: a line for each run, a word for each variable.
struct Told {
  Told() {
    write_script(place / "tell",
                 "#!/bin/sh\n"
                 "env | grep ^BROOD_ | tr '\\n' ' ' > " +
                     (place / "draft") + "\n" + "cat " + (place / "draft") + " >> " + (place / "runs") +
                     "\necho \"ARG=$1\" >> " + (place / "runs") + "\n");
  }
  std::string option() const { return "--on-failure=" + (place / "tell") + " 'one word'"; }
  std::vector<std::string> runs() const {
    std::vector<std::string> all;
    std::istringstream lines(read_file(place / "runs"));
    // The last one may be under way.
    for (std::string line; std::getline(lines, line) && !lines.eof();) all.push_back(line);
    return all;
  }
  bool ran(std::size_t number) const {
    return eventually([&] { return runs().size() >= number; });
  }
  // The variables of the first run.
  std::map<std::string, std::string> variables() const {
    std::map<std::string, std::string> all;
    std::istringstream words(runs().at(0));
    for (std::string word; words >> word;) {
      const auto at = word.find('=');
      if (at != std::string::npos) all[word.substr(0, at)] = word.substr(at + 1);
    }
    return all;
  }
  TemporaryDirectory place;
};

pid_t fail(const ServerProcess& server, const std::string& how) {
  Client client = server.connect();
  const pid_t child = client.child();
  client.send(how + '\n');
  CHECK(client.ending() == Ending::closed);
  return child;
}

}  // namespace

TEST_CASE("the command gets which child failed, and how") {
  const Told told;
  ServerProcess server({told.option(), "--start-servers=1", "--min-spare-servers=1"});
  SUBCASE("by an exit code") {
    const pid_t child = fail(server, "exit 3");
    REQUIRE(told.ran(1));
    auto variables = told.variables();
    CHECK(variables["BROOD_CHILD_PID"] == std::to_string(child));
    CHECK(variables["BROOD_EXIT_CODE"] == "3");
    CHECK_FALSE(variables.contains("BROOD_SIGNAL"));
    CHECK(variables["BROOD_SLOT"] == "0");
    CHECK(variables["BROOD_FAILURES"] == "1");
    CHECK(variables["BROOD_SERVICE"] == server.service().name);
    CHECK(told.runs().at(0).ends_with("ARG=one word"));
  }
  SUBCASE("by a signal") {
    fail(server, "raise 11");
    REQUIRE(told.ran(1));
    auto variables = told.variables();
    CHECK(variables["BROOD_SIGNAL"] == "11");
    CHECK(variables["BROOD_SIGNAL_NAME"] == "SIGSEGV");
    CHECK_FALSE(variables.contains("BROOD_EXIT_CODE"));
  }
}

TEST_CASE("children that leave as asked, or by themselves, run no command") {
  const Told told;
  ServerProcess server({told.option(), "--max-requests-per-child=1"});
  CHECK(server.connect().ask("stop") == "stopping");
  CHECK(server.connect().ask("echo hello") == "hello");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.leaving == 0; }));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(told.runs().empty());
}

TEST_CASE("many failures run the command once, and the service goes on") {
  const Told told;
  ServerProcess server({told.option(), "--start-servers=3", "--min-spare-servers=3"});
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 0) CHECK(server.connect().ask("echo on") == "on");  // it works, but for those
    fail(server, "exit 1");
  }
  REQUIRE(told.ran(1));
  CHECK(server.reaches([](const auto& service) { return service.children_failed == 20; }));
  CHECK(stays([&] { return told.runs().size() == 1; }, 1s));
  CHECK(server.connect().ask("echo on") == "on");
}

TEST_CASE("a command that hangs delays nothing, and ends with the server") {
  const TemporaryDirectory place;
  write_script(place / "hang", "#!/bin/sh\necho $$ > " + (place / "pid") + "\nexec sleep 600\n");
  ServerProcess server({"--on-failure=" + (place / "hang")});
  fail(server, "exit 1");
  REQUIRE(eventually([&] { return read_file(place / "pid").ends_with('\n'); }));
  const auto pid = static_cast<pid_t>(std::stol(read_file(place / "pid")));
  CHECK(server.connect().ask("echo on") == "on");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.leaving == 0; }));
  CHECK(is_alive(pid));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(eventually([pid] { return !is_alive(pid); }));
}

TEST_CASE("a command that fails, or can't be run, is reported in the log") {
  std::string lines = "#!/bin/sh\n", told = "on-failure exited with code 127";
  bool gone = false;
  SUBCASE("it fails") {
    lines += "exit 5\n";
    told = "on-failure exited with code 5";
  }
  SUBCASE("it is gone") { gone = true; }
  SUBCASE("its interpreter is missing") { lines = "#!/nowhere/sh\n"; }
  const TemporaryDirectory place;
  const std::string command = place / "command";
  write_script(command, lines);
  ServerProcess server({"--on-failure=" + command});
  if (gone) ::unlink(command.c_str());
  fail(server, "exit 1");
  if (gone) CHECK(server.wait_for_log("run " + command + ": No such file or directory"));
  CHECK(server.wait_for_log(told));
}

TEST_CASE("the command has nothing of the server's open, and no signal blocked or ignored") {
  SUBCASE("descriptors") {
    ServerProcess server({"--on-failure=/bin/ls /proc/self/fd"});
    fail(server, "exit 1");
    // The last one is the directory that it reads.
    CHECK(eventually([&] { return server.standard_output() == "0\n1\n2\n3\n"; }));
  }
  SUBCASE("signals") {
    ServerProcess server({"--on-failure=/bin/grep ^Sig /proc/self/status"});
    fail(server, "exit 1");
    REQUIRE(eventually([&] { return server.standard_output().find("SigCgt") != std::string::npos; }));
    CHECK(is_empty_set(server.standard_output(), "SigBlk"));
    CHECK(is_empty_set(server.standard_output(), "SigIgn"));
  }
}

TEST_CASE("a command that can't be meant is refused") {
  const auto refused = [](const std::string& command, const std::string& why) {
    ServerProcess server({"--on-failure=" + command}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find(why) != std::string::npos);
  };
  refused("mail root", "absolute path");
  refused("/nowhere/command", "No such file");
  refused("/bin/sh 'never closed", "a quote that is not closed");
}

TEST_CASE("a service whose children end at once with exit code 0 is throttled, and the other one serves on") {
  const Told told;
  write_file(told.place / "order", "exit 0");
  ServerProcess server({"--left.child-start=" + (told.place / "order"), "--right.listen=127.0.0.1:0",
                        "--left.listen=127.0.0.1:0", told.option()},
                       {.program = "brood-two-test-servers", .listen = false, .wait_ready = false});
  REQUIRE(told.ran(1));
  CHECK(told.variables()["BROOD_SERVICE"] == "left");
  CHECK(told.variables()["BROOD_EXIT_CODE"] == "0");
  const std::string scoreboard = server.directory() / "brood-two-test-servers.scoreboard";
  REQUIRE(server.wait_for_log("service left: children fail at once"));
  const Snapshot snapshot = Snapshot::read(scoreboard);
  CHECK(snapshot.services.at(1).idle > 0);
  Client client(snapshot.services.at(1).listeners);
  const pid_t child = client.child();
  // In five seconds few starts; without a throttle thousands.
  CHECK(stays([&] { return client.child() == child; }, 5s));
  CHECK(Snapshot::read(scoreboard).services.at(0).children_started <= 10);
  CHECK(Snapshot::read(scoreboard).services.at(1).children_failed == 0);
  CHECK(told.runs().size() == 1);
}
