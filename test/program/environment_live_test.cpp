// SPDX-License-Identifier: MIT
// Settings in the environment of a server: at the start, at a reload, over an upgrade, and not in children.
#include <doctest/doctest.h>

#include "commanded.hpp"
#include "environment_variables.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

struct Said {
  Exit exit;
  std::string output, errors;
};

// A server that only looks at its settings. Its environment is that of the test.
Said run(std::vector<std::string> arguments, const std::string& program = "brood-test-server") {
  ServerProcess server(std::move(arguments), {.program = program, .listen = false, .wait_ready = false});
  const auto exit = server.wait_exit();
  return {exit.value_or(Exit{}), server.standard_output(), server.standard_error()};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the environment wins over the file, and the command line over both") {
  const EnvironmentVariables variables{{"BROOD_TEST_SERVER_WORD", "own"},
                                       {"BROOD_WORD", "of all"},
                                       {"BROOD_MAX_CLIENTS", "31"},
                                       {"BROOD_MIN_SPARE_SERVERS", "3"},
                                       {"BROOD_START_SERVERS", "2"}};
  const TemporaryDirectory directory;
  const std::string file = directory / "settings.conf";
  write_file(file, "word = from the file\nmax-clients = 30\nmin-spare-servers = 4\nmax-spare-servers = 5\n");
  const std::string config = "--config=" + file;
  const Said printed = run({config, "--print-config", "--min-spare-servers=1"});
  CHECK(printed.exit == exited(0));
  for (const char* line : {"\nword = own  # environment variable BROOD_TEST_SERVER_WORD\n",
                           "\nmax-clients = 31  # environment variable BROOD_MAX_CLIENTS\n",
                           "\nmin-spare-servers = 1  # command line\n"})
    CHECK_MESSAGE(has(printed.output, line), line);
  CHECK(has(printed.output, "\nmax-spare-servers = 5  # " + file + ":4\n"));

  ServerProcess server({config, "--min-spare-servers=1"});
  CHECK(server.connect().ask("word") == "own");
  CHECK(server.service().max_clients == 31);
  CHECK(server.service().min_spare_servers == 1);
  write_file(file, "word = other\nmax-spare-servers = 6\n");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& its) { return its.max_spare_servers == 6; }));
  CHECK(server.connect().ask("word") == "own");
  CHECK(server.service().max_clients == 31);
}

TEST_CASE("a mistake in the environment names the variable, for --test-config as well") {
  const EnvironmentVariables variables{{"BROOD_MAX_CLIENTS", "many"}, {"BROOD_TEST_SERVER_DIGITS", ""}};
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{}, {"--test-config"}}) {
    const Said said = run(arguments);
    CHECK(said.exit == exited(78));
    CHECK(
        has(said.errors, "environment variable BROOD_MAX_CLIENTS: max-clients = many is not a whole number"));
    CHECK(has(said.errors, "environment variable BROOD_TEST_SERVER_DIGITS: digits = "));
  }
  CHECK(has(run({"--max-clients=7"}).errors, "DIGITS"));
  CHECK_FALSE(has(run({"--max-clients=7"}).errors, "MAX_CLIENTS"));
}

TEST_CASE("a variable that is no setting is a warning, once") {
  const EnvironmentVariables variables{{"BROOD_MAX_CLIENT", "7"}, {"BROOD_SERVICE", "of another parent"}};
  const std::string warning =
      "environment variable BROOD_MAX_CLIENT is no setting of this server; did you mean BROOD_MAX_CLIENTS?";
  const Said tested = run({"--test-config"});
  CHECK(tested.exit == exited(0));
  CHECK(tested.errors == warning + "\n");
  ServerProcess server;
  CHECK(server.count_in_log("warning: " + warning) == 1);
  server.signal(SIGHUP);
  CHECK(server.reaches(settled_at(2)));
  CHECK(server.count_in_log("environment variable") == 1);
}

TEST_CASE("a service of several has variables of its own, before those of all services") {
  const EnvironmentVariables variables{{"BROOD_TWO_TEST_SERVERS_LEFT_WORD", "of left"},
                                       {"BROOD_LEFT_MAX_CLIENTS", "21"},
                                       {"BROOD_MAX_CLIENTS", "20"},
                                       {"BROOD_LEFT_LISTEN", "127.0.0.1:0,name=one 127.0.0.1:0,name=two"},
                                       {"BROOD_RIGHT_LISTEN", "127.0.0.1:0"}};
  ServerProcess server({}, {.program = "brood-two-test-servers", .listen = false});
  CHECK(server.addresses().size() == 3);
  CHECK(Client(server.addresses()[1]).ask("listener") == "two");
  CHECK(Client(server.addresses()[0]).ask("word") == "of left");
  CHECK(Client(server.addresses()[2]).ask("word") == "none");
  CHECK(server.snapshot().services.at(0).max_clients == 21);
  CHECK(server.snapshot().services.at(1).max_clients == 20);
}

TEST_CASE("an upgrade keeps the settings of the environment") {
  const EnvironmentVariables variables{{"BROOD_MAX_CLIENTS", "33"}, {"SERVER_WORD", "kept"}};
  Upgradeable it;
  CHECK(it.server.connect().ask("word") == "kept");
  it.install("brood-test-server-two");
  REQUIRE(it.upgrade());
  CHECK(eventually([&] { return it.server.connect().ask("version") == "two"; }));
  CHECK(it.server.connect().ask("word") == "kept");
  CHECK(it.server.service().max_clients == 33);
  // A program that comes back has them, too.
  it.write_settings("parent-start = " + (it.place / "order") + "\n");
  write_file(it.place / "order", "throw no");
  REQUIRE(it.upgrade_is_refused("no"));
  CHECK(it.server.connect().ask("word") == "kept");
  CHECK(it.server.service().max_clients == 33);
}

TEST_CASE("settings are not in the environment of children and of the programs that they run") {
  const EnvironmentVariables variables{{"BROOD_MAX_CLIENTS", "33"},
                                       {"BROOD_COMMAND_HOST_START_SERVERS", "2"},
                                       {"BROOD_TEST_SERVER_WORD", "of the program"},
                                       {"ANYTHING", "else"}};
  SUBCASE("forked children") {
    ServerProcess server;
    CHECK(server.service().max_clients == 33);
    CHECK(server.connect().ask("env BROOD_MAX_CLIENTS") == "unset");
    CHECK(server.connect().ask("env BROOD_TEST_SERVER_WORD") == "unset");
    CHECK(server.connect().ask("env ANYTHING") == "else");
  }
  SUBCASE("programs that take a slot have their own settings") {
    ServerProcess server(runs(program_path("brood-test-server"), "slot"), {.program = "brood-command-host"});
    CHECK(server.service().max_clients == 33);
    CHECK(server.connect().ask("env BROOD_MAX_CLIENTS") == "unset");
    CHECK(server.connect().ask("env BROOD_COMMAND_HOST_START_SERVERS") == "unset");
    CHECK(server.connect().ask("env ANYTHING") == "else");
    CHECK(server.connect().ask("word") == "of the program");
  }
  SUBCASE("programs that take a connection") {
    const Script script("echo \"$BROOD_MAX_CLIENTS $BROOD_SERVICE $ANYTHING\"");
    ServerProcess server(runs(script.path(), "connection"), {.program = "brood-command-host"});
    CHECK(server.connect().line() == " brood-command-host else");
  }
  SUBCASE("the command of on-failure") {
    const TemporaryDirectory place;
    const Script script("echo \"$BROOD_MAX_CLIENTS $BROOD_SERVICE $BROOD_EXIT_CODE $ANYTHING\" > " +
                        (place / "new") + "; mv " + (place / "new") + " " + (place / "told"));
    ServerProcess server({"--on-failure=" + script.path()});
    server.connect().send("exit 3\n");
    CHECK(eventually([&] { return read_file(place / "told") == " brood-test-server 3 else\n"; }));
  }
}
