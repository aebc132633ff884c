// SPDX-License-Identifier: MIT
// Wrong settings at the start: nothing is started, and all mistakes are reported at once, each with its
// place.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.hpp"
#include "broodctl.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

struct Refused {
  Exit exit;
  std::string said;
  bool says(const std::string& text) const { return said.find(text) != std::string::npos; }
};

Refused start_with(std::vector<std::string> arguments) {
  ServerProcess server(std::move(arguments), {.wait_ready = false});
  const auto exit = server.wait_exit();
  return {exit.value_or(Exit{}), server.standard_error()};
}

// The file is settings.conf in a directory that is removed afterwards.
Refused start_with_file(const std::string& content) {
  const TemporaryDirectory directory;
  write_file(directory / "settings.conf", content);
  return start_with({"--config=" + (directory / "settings.conf")});
}

}  // namespace

TEST_CASE("all mistakes of a file are told at once, each with its file and line") {
  const Refused refused = start_with_file(
      "# a comment\n"
      "min-spare-servers = many\n"
      "max-clients = -1\n"
      "\n"
      "max-spare-serverz = 3\n"
      "start-servers\n"
      "graceful-timeout = 5 parsecs\n"
      "max-clients = 4\n"
      "max-requests-per-child = 99999999999999999999\n");
  CHECK(refused.exit == exited(78));
  CHECK(refused.says("settings.conf:2: "));
  CHECK(refused.says("settings.conf:3: "));
  CHECK(refused.says("settings.conf:5: "));
  CHECK(refused.says("settings.conf:6: "));
  CHECK(refused.says("settings.conf:7: "));
  CHECK(refused.says("settings.conf:8: "));
  CHECK(refused.says("settings.conf:9: "));
  CHECK(refused.says("did you mean 'max-spare-servers'?"));
  CHECK_FALSE(refused.says("settings.conf:1: "));
  CHECK_FALSE(refused.says("settings.conf:4: "));
}

TEST_CASE("a contradiction between two settings is reported at the line of one of them") {
  const Refused refused = start_with_file("max-spare-servers = 10\nmin-spare-servers = 20\n");
  CHECK(refused.exit == exited(78));
  CHECK(refused.says("settings.conf:2: min-spare-servers = 20 exceeds max-spare-servers = 10"));
}

TEST_CASE("more start-servers than max-clients are refused") {
  const Refused refused = start_with({"--start-servers=20", "--max-clients=10"});
  CHECK(refused.exit == exited(78));
  CHECK(refused.says("start-servers = 20 exceeds max-clients = 10"));
}

TEST_CASE("a file that is not there is an error") {
  const Refused refused = start_with({"--config=/no/such/file.conf"});
  CHECK(refused.exit == exited(78));
  CHECK(refused.says("/no/such/file.conf: No such file or directory"));
}

TEST_CASE("an unknown option is refused with what may have been meant") {
  const Refused refused = start_with({"--max-client=10"});
  CHECK(refused.exit == exited(78));
  CHECK(refused.says("did you mean 'max-clients'?"));
}

TEST_CASE("wrong words on the command line are refused") {
  const auto arguments = {"--max-clients=-1",
                          "--max-clients=",
                          "--max-clients=4294967297",
                          "--max-clients=0",
                          "--max-clients=0x10",
                          "--max-clients=7 ",
                          "stray",
                          "--listen=nowhere",
                          "--listen=1.2.3.4:99999",
                          "--listen=unix:",
                          "--listen=fd:-x",
                          "--log-level=loud",
                          "--graceful-timeout=10",
                          "--graceful-timeout=-1s",
                          "--daemonize=perhaps",
                          "--name=a/b",
                          "--listen=127.0.0.1:0,mode=0600",
                          "--listen=127.0.0.1:0,colour=red",
                          "--listen=::1:80"};
  for (const std::string argument : arguments) {
    CAPTURE(argument);
    const Refused refused = start_with({argument});
    CHECK(refused.exit == exited(78));
    CHECK_FALSE(refused.said.empty());
  }
}

TEST_CASE("a setting given twice on the command line is refused, a list is not") {
  CHECK(start_with({"--max-clients=10", "--max-clients=11"}).exit == exited(78));
  ServerProcess server({"--listen=127.0.0.1:0,name=second"});
  CHECK(server.addresses().size() == 2);
}

TEST_CASE("the same address twice is refused") {
  const Refused refused = start_with({"--listen=127.0.0.1:8099", "--listen=127.0.0.1:8099,name=again"});
  CHECK(refused.exit == exited(78));
  CHECK(refused.says("127.0.0.1:8099"));
}

TEST_CASE("a user or group that is not known is refused") {
  CHECK(start_with({"--user=no-such-user"}).says("no-such-user"));
  CHECK(start_with({"--user=no-such-user"}).exit == exited(78));
  CHECK(start_with({"--group=no-such-group"}).exit == exited(78));
}

TEST_CASE("the command line overrides the file, lists included") {
  const TemporaryDirectory directory;
  write_file(directory / "settings.conf",
             "listen = 127.0.0.1:1\nlisten = 127.0.0.1:2\nmax-clients = 20\nstart-servers = "
             "2\nmin-spare-servers = 2\n"
             "word = \"from # the file\"\n");
  ServerProcess server({"--config=" + (directory / "settings.conf"), "--max-clients=30"});
  CHECK(server.addresses().size() == 1);
  CHECK(server.service().max_clients == 30);
  CHECK(server.service().min_spare_servers == 2);
  CHECK(server.connect().ask("word") == "from # the file");
}

TEST_CASE("--test-config tells of mistakes and starts nothing") {
  CHECK(start_with({"--test-config"}).exit == exited(0));
  CHECK(start_with({"--test-config", "--max-clients=x"}).exit == exited(78));
}

TEST_CASE("--test-config tries what a start would meet") {
  const TemporaryDirectory place;
  write_file(place / "file", "");
  const std::pair<std::string, std::string> wrong[] = {
      {"--listen=no-such-host.invalid:80", "listen = no-such-host.invalid:80: "},
      {"--listen=192.0.2.1:80", "bind to 192.0.2.1:80: Cannot assign requested address"},
      {"--listen=unix:" + (place / "none/socket"), "directory " + (place / "none") + ": No such file"},
      {"--listen=unix:" + (place / "file"), "the path is not a socket"},
      {"--pid-file=" + (place / "none/pid"), "pid-file = " + (place / "none/pid") + ": directory "},
      {"--status-group=no-such-group", "status-group = no-such-group: group no-such-group does not exist"},
  };
  for (const auto& [argument, says] : wrong) {
    CAPTURE(argument);
    ServerProcess server({argument, "--test-config"}, {.wait_ready = false});
    CHECK(server.wait_exit() != exited(0));
    CHECK(server.standard_error().find(says) != std::string::npos);
    // It is right: a start fails, too.
    ServerProcess started({argument}, {.wait_ready = false});
    CHECK(started.wait_exit() != exited(0));
  }
  // A server that runs may give its address up.
  const ServerProcess running;
  ServerProcess other({"--listen=" + running.addresses().at(0), "--test-config"},
                      {.listen = false, .wait_ready = false});
  CHECK(other.wait_exit() == exited(0));
}

TEST_CASE("members of status-group read the scoreboard and give no orders") {
  if (::geteuid() != 0) return;
  ServerProcess server({"--status-group=games"});
  std::filesystem::permissions(server.directory().path(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  const std::string member = "setpriv --reuid=65534 --regid=games --clear-groups ";
  CHECK(ask(server, "status", member).code == 0);
  CHECK(ask(server, "reload", member).code == 77);
  CHECK(ask(server, "status", "setpriv --reuid=65534 --regid=65534 --clear-groups ").code == 77);
}

TEST_CASE("--help and --print-config show every setting, the server's own too, and where values came from") {
  for (const char* option : {"--help", "--print-config"}) {
    ServerProcess server({option, "--max-clients=77"}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(0));
    const std::string said = server.standard_output();
    for (const char* name : {"listen", "max-clients", "graceful-timeout", "runtime-directory", "fixed-word"})
      CHECK_MESSAGE(said.find(name) != std::string::npos, name);
    if (std::string(option) == "--print-config")
      CHECK(said.find("max-clients = 77  # command line") != std::string::npos);
  }
}

TEST_CASE("--help shows defaults and what is allowed, in the full width of the terminal") {
  const auto help_in = [](const char* columns, const std::string& program) {
    ServerProcess server({"--help"}, {.program = program, .wait_ready = false, .in_process = [columns] {
                                        ::setenv("COLUMNS", columns, 1);
                                      }});
    CHECK(server.wait_exit() == exited(0));
    return server.standard_output();
  };
  for (const auto& [columns, width] : {std::pair{"100", 100U}, {"60", 60U}, {"10", 40U}}) {
    std::size_t longest = 0;
    const std::string help = help_in(columns, "brood-test-server");
    for (const auto line : split(help, '\n'))
      if (line.find(' ', line.find_first_not_of(' ')) != std::string_view::npos)  // more than one word
        longest = std::max(longest, line.size());
    CHECK(longest <= width);
    CHECK(longest + 10 > width);
  }
  const std::string wide = help_in("200", "brood-test-server");
  for (const char* part : {"in the environment as BROOD_TEST_SERVER_SETTING or BROOD_SETTING,",
                           "\n  -h, --help            print this and exit\n",
                           "\n  -c, --config=FILE     read", "(number from 1 to 32768; default: 256)\n",
                           "\n  --word\n      What the command 'word' answers. (text; default: none)\n",
                           "(text; default: none; needs a restart)\n"})
    CHECK_MESSAGE(wide.find(part) != std::string::npos, part);
  const std::string of_services = help_in("200", "brood-two-test-servers");
  CHECK(of_services.find("\n  left\n  right\n") != std::string::npos);
  CHECK(of_services.find("\n  --right.word\n      What the command 'word' answers.") != std::string::npos);
}

TEST_CASE("--version prints the program's own version and that of the kit") {
  for (const auto& [program, said] :
       {std::pair{"brood-test-server", "brood-test-server one (brood 0."},
        std::pair{"brood-two-test-servers", "brood-two-test-servers two services (brood 0."},
        std::pair{"brood-event-test-server", "brood-event-test-server 0."}}) {
    ServerProcess server({"--version"}, {.program = program, .wait_ready = false});
    CHECK(server.wait_exit() == exited(0));
    CHECK_MESSAGE(server.standard_output().starts_with(said), server.standard_output());
    CHECK(split(server.standard_output(), '\n').size() == 2);
  }
}

TEST_CASE("what --print-config prints is a settings file that means the same") {
  ServerProcess first({"--print-config", "--word=a \"quoted\" # word", "--max-clients=77"},
                      {.wait_ready = false});
  REQUIRE(first.wait_exit() == exited(0));
  const TemporaryDirectory directory;
  write_file(directory / "settings.conf", first.standard_output());
  ServerProcess second({"--config=" + (directory / "settings.conf")});
  CHECK(second.service().max_clients == 77);
  CHECK(second.connect().ask("word") == "a \"quoted\" # word");
}

TEST_CASE("a setting of the server with a name that it can't have is named, and nothing is started") {
  for (const std::string program : {"brood-test-server", "brood-two-test-servers"})
    for (const auto& [name, wrong] : {std::pair{"My Name", "its name is not made of lower-case letters"},
                                      std::pair{"config", "every server has an option of this name"},
                                      std::pair{"daemonize", "the kit has a setting of this name"},
                                      std::pair{"max-connections-per-child", "the kit has a setting"},
                                      std::pair{"digits", "is added twice"}}) {
      CAPTURE(name);
      ServerProcess server({}, {.program = program, .wait_ready = false, .in_process = [name = name] {
                                  ::setenv("EXTRA_SETTING", name, 1);
                                }});
      CHECK(server.wait_exit() == exited(70));
      const std::string said = server.standard_error();
      CHECK(said.find("setting '" + std::string(name) + "'") == 0);
      CHECK(said.find(wrong) != std::string::npos);
      CHECK(said.find('\n') == said.size() - 1);
    }
}

TEST_CASE("user needs a parent that runs as root") {
  if (::geteuid() == 0) {
    ServerProcess server({"--user=nobody"}, {.wait_ready = false, .user = 65534});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("needs a parent that runs as root") != std::string::npos);
  } else {
    CHECK(start_with({"--user=nobody"}).exit == exited(78));
  }
}

TEST_CASE("rules of allow and deny keep their order on the command line and in what is printed") {
  const std::vector<std::string> rules = {"deny = 10.1.0.0/16", "allow = 10.0.0.0/8", "deny = 10.0.0.1",
                                          "allow = 127.0.0.1"};
  const auto printed_rules = [](const ServerProcess& server) {
    std::vector<std::string> found;
    const std::string printed = server.standard_output();
    for (const auto line : split(printed, '\n'))
      if (line.starts_with("allow =") || line.starts_with("deny ="))
        found.emplace_back(trim(line.substr(0, line.find('#'))));
    return found;
  };
  std::vector<std::string> arguments = {"--print-config"};
  for (const auto& rule : rules) {
    const auto equals = rule.find(" = ");
    arguments.push_back("--" + rule.substr(0, equals) + "=" + rule.substr(equals + 3));
  }
  ServerProcess first(arguments, {.wait_ready = false});
  REQUIRE(first.wait_exit() == exited(0));
  CHECK(printed_rules(first) == rules);
  const TemporaryDirectory directory;
  write_file(directory / "settings.conf", first.standard_output());
  ServerProcess second({"--config=" + (directory / "settings.conf"), "--print-config"},
                       {.wait_ready = false});
  REQUIRE(second.wait_exit() == exited(0));
  CHECK(printed_rules(second) == rules);
  // What the command line has replaces all rules of the file.
  ServerProcess third({"--config=" + (directory / "settings.conf"), "--print-config", "--deny=::1"},
                      {.wait_ready = false});
  REQUIRE(third.wait_exit() == exited(0));
  CHECK(printed_rules(third) == std::vector<std::string>{"deny = ::1"});
  ServerProcess fourth({"--print-config"}, {.wait_ready = false, .in_process = [] {
                                              ::setenv("BROOD_ALLOW", "10.0.0.0/8", 1);
                                              ::setenv("BROOD_DENY", "10.1.0.0/16 10.2.0.0/16", 1);
                                            }});
  REQUIRE(fourth.wait_exit() == exited(0));
  CHECK(printed_rules(fourth) ==
        std::vector<std::string>{"deny = 10.1.0.0/16", "deny = 10.2.0.0/16", "allow = 10.0.0.0/8"});
}
