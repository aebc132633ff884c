// SPDX-License-Identifier: MIT
// The settings of programs in the files of `brood`: each program gets those of its service, and one that does
// not accept them keeps those that it has.
#include <csignal>

#include "brood_directory.hpp"
#include "broodctl.hpp"
#include "root.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A service "a" with its own settings, and "b" beside it.
class TwoServices {
 public:
  explicit TwoServices(const std::string& own, const std::string& before = "") : directory(one_child) {
    directory.add_unix("b");
    write(own, before);
  }
  void write(const std::string& own, const std::string& before = "") const {
    directory.write("a", "command = " + program_path("brood-test-server") +
                             "\nlisten = " + directory.address("a") + "\n" + before + "[settings]\n" + own);
  }
  std::string answer(const std::string& question) const {
    Client client(directory.address("a"));
    return client.ask(question);
  }
  std::string place(int line) const { return directory.file("a") + ":" + std::to_string(line) + ": "; }

  const Directory directory;
};

}  // namespace

TEST_CASE("a program is given the settings of its service's file, and a reload changes them") {
  const TwoServices services("word = two words\ndigits = 17\n");
  const ServerProcess server(in(services.directory), brood_options());
  CHECK(services.answer("word") == "two words");
  Client before(services.directory.address("a"));
  CHECK(before.ask("word") == "two words");
  services.write("word = \"another # one\"\n");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return services.answer("word") == "another # one"; }));
  CHECK(before.ask("word") == "two words");  // its child finishes what it has
  CHECK(server.wait_for_log("changed: a (settings)"));
}

TEST_CASE(
    "settings that a program does not accept are refused with its words, and it serves on with the old") {
  const TwoServices services("word = good\n");
  ServerProcess server(in(services.directory), brood_options());
  services.write("word = better\nwrod = bad\n");
  const std::string mistake = services.place(3) + "settings: command line: unknown option 'wrod'";
  for (const char* const order : {"check", "reload", "reload a"}) {
    const CtlAnswer answer = ask(server, order);
    CHECK(answer.code == 78);
    CHECK_MESSAGE(answer.says(mistake), answer.text);
    CHECK(services.answer("word") == "good");
  }
  CHECK(find_service(server, "a")->generation == 1);
  CHECK(find_service(server, "b")->generation == 2);
  services.write("digits = 1\ndigits = 2\n");
  CHECK(ask(server, "check").says(services.place(3) + "settings: command line: --digits is given twice"));
  services.write("digits = none\n");
  CHECK(ask(server, "restart a").says(services.place(3) + "settings: "));
  services.write("word = best\n");
  CHECK(ask(server, "check").code == 0);
  CHECK(ask(server, "reload").code == 0);
  CHECK(services.answer("word") == "best");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("at the start, a service whose program does not accept its settings is left out") {
  const TwoServices services("wrod = bad\n");
  const ServerProcess server(in(services.directory), brood_options());
  CHECK(server.wait_for_log("service a is left out"));
  CHECK(server.count_in_log("settings: command line: unknown option 'wrod'") > 0);
  CHECK(answers(services.directory.address("b")));
  ServerProcess test(in(services.directory, {"--test-config"}), brood_options(false));
  CHECK(test.wait_exit() == exited(78));
  CHECK(test.standard_error().find(services.place(3) + "settings: ") != std::string::npos);
}

TEST_CASE("a program is given its settings as variables, and a command of its service checks them") {
  const TwoServices services("log-level = 3\n",
                             "settings-as = environment\nsettings-prefix = MY_\n"
                             "settings-check = /bin/sh -c 'case $MY_LOG_LEVEL in 3|4) exit 0;; esac; "
                             "echo \"log-level $MY_LOG_LEVEL is neither 3 nor 4\" >&2; exit 1'\n");
  const ServerProcess server(in(services.directory), brood_options());
  CHECK(services.answer("env MY_LOG_LEVEL") == "3");
  std::string file = read_file(services.directory.file("a"));
  const auto level = file.rfind('3');
  file[level] = '5';
  services.directory.write("a", file);
  const CtlAnswer refused = ask(server, "reload a");
  CHECK(refused.code == 78);
  CHECK_MESSAGE(refused.says(services.place(6) + "settings: log-level 5 is neither 3 nor 4"), refused.text);
  CHECK(services.answer("env MY_LOG_LEVEL") == "3");
  file[level] = '4';
  services.directory.write("a", file);
  CHECK(ask(server, "reload a").code == 0);
  CHECK(services.answer("env MY_LOG_LEVEL") == "4");
}

TEST_CASE("the parent goes on while settings are checked, and a check that hangs refuses its service alone") {
  const TwoServices services("word = good\n");
  const TemporaryDirectory there;
  const ServerProcess server(in(services.directory), brood_options());
  services.write("word = better\n",
                 "settings-check = /bin/sh -c 'echo > " + (there / "began") + "; sleep 1000'\n");
  services.directory.add_unix("b", "max-clients = 30\n");
  BroodctlProcess reload(to(server, "reload"));
  REQUIRE(eventually([&] { return std::filesystem::exists(there / "began"); }));
  // A child that ends now is replaced now.
  const pid_t child = pids_of(server, "b").at(0);
  ::kill(child, SIGKILL);
  CHECK(eventually([&] {
    const auto pids = pids_of(server, "b");
    return !pids.empty() && std::ranges::count(pids, child) == 0;
  }));
  CHECK(answers(services.directory.address("b")));
  const CtlAnswer answer = reload.wait();
  CHECK(answer.code == 78);
  CHECK_MESSAGE(answer.says("settings: /bin/sh took longer than 5s"), answer.text);
  CHECK(services.answer("word") == "good");
  CHECK(find_service(server, "b")->max_clients == 30);
}

TEST_CASE("two checks that hang refuse their two services alone") {
  const TwoServices services("word = good\n");
  const std::string c = "command = " + program_path("brood-test-server") +
                        "\nlisten = " + services.directory.address("c") + '\n';
  services.directory.write("c", c);
  ServerProcess server(in(services.directory), brood_options());
  const std::string hangs = "settings-check = /bin/sh -c 'sleep 1000'\n";
  services.write("word = better\n", hangs);
  services.directory.write("c", c + "max-clients = 31\n" + hangs);
  services.directory.add_unix("b", "max-clients = 30\n");
  const CtlAnswer answer = ask(server, "reload");
  CHECK(answer.code == 78);
  CHECK_MESSAGE(answer.says("a.conf:4: settings: /bin/sh took longer than 5s"), answer.text);
  CHECK_MESSAGE(answer.says("c.conf:4: settings-check: /bin/sh took longer than 5s"), answer.text);
  CHECK(services.answer("word") == "good");
  CHECK(find_service(server, "b")->max_clients == 30);
  CHECK(find_service(server, "c")->max_clients != 31);
  CHECK(find_service(server, "c")->generation == 1);
  // So at the start.
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  const ServerProcess again(in(services.directory), brood_options());
  CHECK(answers(services.directory.address("b")));
  CHECK(again.count_in_log("is left out") == 2);
}

TEST_CASE("settings are checked as the user of the service") {
  if (skipped_without_root()) return;
  const TwoServices services(
      "word = good\n",
      "command-gets = connection\nuser = nobody\nsettings-check = /bin/sh -c '"
      "echo \"I am $(id -un), and may: $(grep CapEff /proc/self/status)\" >&2; exit 1'\n");
  ServerProcess test(in(services.directory, {"--test-config"}), brood_options(false));
  CHECK(test.wait_exit() == exited(78));
  const std::string errors = test.standard_error();
  CHECK_MESSAGE(errors.find("I am nobody, and may: CapEff:") != std::string::npos, errors);
  CHECK(errors.find("0000000000000000") != std::string::npos);
}

TEST_CASE("an upgrade is refused while a program does not accept its settings, and keeps those in force") {
  const TwoServices services("word = good\n");
  Upgradeable it(in(services.directory), "", {.program = "brood", .listen = false});
  services.write("wrod = bad\n");
  REQUIRE(it.upgrade_is_refused("unknown option 'wrod'"));
  CHECK(services.answer("word") == "good");
  services.write("word = new\n");
  REQUIRE(it.upgrade());
  CHECK(eventually([&] { return services.answer("word") == "new"; }));
}
