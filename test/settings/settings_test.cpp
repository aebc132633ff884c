// SPDX-License-Identifier: MIT
#include "brood/settings.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

#include "base/address.hpp"
#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/command_line.hpp"
#include "settings/configuration.hpp"
#include "settings/settings_printer.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

struct Program {
  Configuration configuration{.name = "test"};
  ServiceConfiguration service;
  std::string greeting = "Hello";
  Settings settings;
  GivenSettings given;

  explicit Program(const ChildModel& model = {}) : service("test", model, false) {
    add_service_settings(settings, service);
    add_parent_settings(settings, configuration);
    settings.of_kit(false);
    settings.text("greeting", greeting, "What is said.");
  }

  // Returns the mistakes, "" for none.
  std::string read(std::string_view file, std::initializer_list<const char*> arguments = {}) {
    try {
      const std::vector<const char*> words(arguments);
      const CommandLine line = parse_command_line(settings, words);
      SettingsReader reader(settings);
      reader.read_text(file, "f.conf");
      reader.override_with(line.settings);
      reader.check();
      reader.stores(true)();
      reader.stores(false)();
      check_service(service, reader);
      check_parent(configuration, reader);
      reader.finish();
      given = reader.given();
    } catch (const ConfigurationError& error) {
      return error.what();
    }
    return "";
  }
};

// As if a name server had answered so.
void add_host(Lookups& to, const std::string& name, std::initializer_list<const char*> addresses) {
  std::string found;
  for (const char* const address : addresses) {
    const SocketAddress one = resolve(parse_listen(text(address, ":7"))).front();
    found.append(reinterpret_cast<const char*>(&one), sizeof one);
  }
  to.add("host", name + " 7 tcp", found);
}

}  // namespace

TEST_CASE("a program may have other defaults than the kit") {
  std::vector<std::string> places = {"a"};
  Settings settings;
  settings.of_kit(true);
  settings.list("listen", places, "");
  settings.set_default("listen", {"b", "c"});
  CHECK(settings.find("listen")->defaults == std::vector<std::string>{"b", "c"});
  SettingsReader reader(settings);
  reader.check();
  reader.stores(true)();
  CHECK(places == std::vector<std::string>{"b", "c"});
  CHECK_THROWS_AS(settings.set_default("colour", {"red"}), brood::Error);
}

TEST_CASE("the name of a setting is checked when it is added") {
  const std::string form =
      " its name is not made of lower-case letters, digits and '-', beginning with a letter";
  const std::string option = " every server has an option of this name";
  const std::string kits = " the kit has a setting of this name; set_default() changes its default";
  const struct {
    const char* name;
    std::string wrong;
  } rows[] = {
      {"", "setting '':" + form},
      {"My Name", "setting 'My Name':" + form},
      {"Name", "setting 'Name':" + form},
      {"two words", "setting 'two words':" + form},
      {"two_words", "setting 'two_words':" + form},
      {"a.b", "setting 'a.b':" + form},
      {"-a", "setting '-a':" + form},
      {"a-", "setting 'a-':" + form},
      {"1st", "setting '1st':" + form},
      {"a=b", "setting 'a=b':" + form},
      {"\n", "setting '\\x0a':" + form},
      {"config", "setting 'config':" + option},
      {"help", "setting 'help':" + option},
      {"h", "setting 'h':" + option},
      {"print-config", "setting 'print-config':" + option},
      // Of the parent, and of any child model.
      {"log", "setting 'log':" + kits},
      {"listen", "setting 'listen':" + kits},
      {"threads-per-child", "setting 'threads-per-child':" + kits},
      {"command", "setting 'command':" + kits},
      {"known", "setting 'known' is added twice"},
  };
  std::string target;
  for (const auto& row : rows) {
    Settings settings;
    settings.text("known", target, "");
    CHECK_THROWS_WITH_AS(settings.text(row.name, target, ""), row.wrong.c_str(), brood::Error);
  }
  Settings settings;
  for (const char* good : {"x", "x2-y", "a-b-c"}) settings.text(good, target, "");
}

TEST_CASE("a default that is not a whole number of seconds is accepted") {
  std::chrono::milliseconds patience = 1500ms;
  Settings settings;
  settings.duration("patience", patience, 1ms, 1h, "");
  SettingsReader reader(settings);
  reader.check();
  CHECK(reader.errors().empty());
  CHECK(settings.find("patience")->defaults == std::vector<std::string>{"1500ms"});
}

TEST_CASE("the command line wins over the file, for lists as well") {
  Program program;
  REQUIRE(
      program.read("start-servers = 7\n  # a comment\nlisten = 127.0.0.1:1\nlisten = 127.0.0.1:2 # behind\n"
                   "greeting = \"  Hi # there\"\ngraceful-timeout = 250ms\nmax-clients=12\n",
                   {"--start-servers=3", "--listen=127.0.0.1:0", "--daemonize", "--log=syslog"}) == "");
  CHECK(program.service.limits.start_servers == 3);
  CHECK(program.service.limits.max_clients == 12);
  CHECK(program.service.limits.graceful_timeout == 250ms);
  CHECK(program.service.listen == std::vector<std::string>{"127.0.0.1:0"});
  CHECK(program.configuration.daemonize);
  CHECK(program.greeting == "  Hi # there");
}

TEST_CASE("a value may be empty, on the command line as well") {
  Program program;
  REQUIRE(program.read("greeting = x\nlog = syslog\n", {"--greeting=", "--runtime-directory="}) == "");
  CHECK(program.greeting.empty());
  CHECK(program.configuration.runtime_directory.empty());
}

TEST_CASE("without a file and a command line there are the defaults") {
  Program program;
  REQUIRE(program.read("") == "");
  CHECK(program.service.listen == std::vector<std::string>{"127.0.0.1:8000"});
  CHECK(program.greeting == "Hello");
}

TEST_CASE("each mistake is reported with its place and the reason") {
  struct {
    const char* file;
    const char* wrong;
  } const rows[] = {
      {"start-servers = -1", "f.conf:1: start-servers = -1 is not a whole number without a sign"},
      {"\nstart-servers = 99999999999999999999",
       "f.conf:2: start-servers = 99999999999999999999 is above 32768"},
      {"max-spare-servers = 0", "f.conf:1: max-spare-servers = 0 is below 1"},
      {"start-servers =", "f.conf:1: start-servers =  is not a whole number without a sign"},
      {"start-servers = 5x", "f.conf:1: start-servers = 5x is not a whole number without a sign"},
      {"min-spare-server = 5",
       "f.conf:1: unknown setting 'min-spare-server'; did you mean 'min-spare-servers'?"},
      {"colour = red", "f.conf:1: unknown setting 'colour'"},
      {"start-servers", "f.conf:1: 'start-servers' is not of the form 'name = value'"},
      {"= 5", "f.conf:1: '= 5' is not of the form 'name = value'"},
      {"user = a\n\nuser = b", "f.conf:3: user is already set at f.conf:1"},
      {"greeting = \"half", "f.conf:1: greeting: the closing quote is missing"},
      {"greeting = \"a\" b", "f.conf:1: greeting: there is text after the closing quote"},
      {"max-spare-servers = 3", "f.conf:1: min-spare-servers = 5 exceeds max-spare-servers = 3"},
      {"max-spare-servers = 30\nmin-spare-servers = 40",
       "f.conf:2: min-spare-servers = 40 exceeds max-spare-servers = 30"},
      {"max-clients = 7\nstart-servers = 8", "f.conf:2: start-servers = 8 exceeds max-clients = 7"},
      {"figures-interval = 999ms", "f.conf:1: figures-interval = 999ms is below 1s; 0: no line of figures"},
      {"figures-interval = 31d", "f.conf:1: figures-interval = 31d is above 30d"},
      {"graceful-timeout = 5", "f.conf:1: graceful-timeout = 5 needs a unit: ms, s, m, h or d"},
      {"graceful-timeout = -5s",
       "f.conf:1: graceful-timeout = -5s is not a duration like 250ms, 30s, 5m or 1h"},
      {"graceful-timeout = 5 fortnights",
       "f.conf:1: graceful-timeout = 5 fortnights has the unknown unit ' fortnights'; known are ms, s, m, h, "
       "d"},
      {"graceful-timeout = 99999999999999999d",
       "f.conf:1: graceful-timeout = 99999999999999999d is above 30d"},
      {"daemonize = maybe", "f.conf:1: daemonize = maybe is neither yes nor no"},
      {"log-level = loud", "f.conf:1: log-level = loud is not one of debug, info, warning or error"},
      {"listen = nowhere",
       "f.conf:1: listen = nowhere is not HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH, udp:HOST:PORT, "
       "unix-datagram:PATH, timer:TIME, fifo:PATH, fd:N or fd:NAME"},
      {"listen = 127.0.0.1:8\nlisten = 127.0.0.1:8,name=again",
       "f.conf:2: listen = 127.0.0.1:8,name=again is the same address as '127.0.0.1:8'"},
      {"listen = 127.0.0.1:8\nlisten = *:8",
       "f.conf:2: listen = *:8 overlaps with '127.0.0.1:8': one of the two is every address of that port, "
       "and "
       "is enough"},
      {"listen = 0.0.0.0:8\nlisten = [::1]:8\nlisten = localhost:8\nlisten = *:9\nlisten = 192.0.2.1:8",
       "f.conf:5: listen = 192.0.2.1:8 overlaps with '0.0.0.0:8': one of the two is every address of that "
       "port, and is enough"},
      {"listen = nowhere:\nlisten = 127.0.0.1:8", "f.conf:1: listen = nowhere: '' is not a port"},
      {"user = nobody-of-that-name", "f.conf:1: user nobody-of-that-name does not exist"},
      {"listen = unix:/a,owner=nobody-of-that-name",
       "f.conf:1: listen = unix:/a,owner=nobody-of-that-name user nobody-of-that-name does not exist"},
      {"daemonize = yes",
       "f.conf:1: daemonize = yes needs a log that is not stderr: set log to syslog or to a file"},
      {"name = a/b", "f.conf:1: name = a/b is not 1 to 63 bytes without '/'"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.file);
    Program program;
    const std::string wrong = program.read(row.file);
    CHECK(wrong.substr(0, wrong.find('\n')) == row.wrong);
  }
}

TEST_CASE("all mistakes are reported at once") {
  Program program;
  const std::string wrong = program.read("start-servers = x\nnonsense = 1\nmax-clients = 0\n");
  CHECK(split(wrong, '\n').size() == 3);
}

TEST_CASE("mistakes on the command line") {
  struct {
    std::initializer_list<const char*> arguments;
    const char* wrong;
  } const rows[] = {
      {{"--start-server=3"}, "command line: unknown option 'start-server'; did you mean 'start-servers'?"},
      {{"--start-servers=-1"}, "command line: start-servers = -1 is not a whole number without a sign"},
      {{"--start=3"}, "command line: unknown option 'start'"},
      {{"8000"}, "command line: '8000' is not an option"},
      {{"--user=a", "--user=b"}, "command line: --user is given twice"},
      {{"--min-spare-servers=20"}, "command line: min-spare-servers = 20 exceeds max-spare-servers = 10"},
  };
  for (const auto& row : rows) {
    Program program;
    const std::string wrong = program.read("", row.arguments);
    CHECK(wrong.substr(0, wrong.find('\n')) == row.wrong);
  }
}

TEST_CASE("command-gets = listener is for a name with one address") {
  const std::string command = "command = /bin/true\ncommand-gets = listener\nlisten = ";
  Lookups known;
  add_host(known, "one.example", {"127.0.0.1"});
  add_host(known, "two.example", {"127.0.0.1", "[::1]"});
  {
    const RecordLookups record(known);
    REQUIRE(Program({.command = true}).read(command + "127.0.0.1:7\n") == "");
  }
  const RepeatLookups repeat(known);
  const auto mistake = [&](const std::string& listen) {
    return Program({.command = true}).read(command + listen + '\n');
  };
  CHECK(mistake("one.example:7") == "");
  CHECK(mistake("two.example:7") ==
        "f.conf:3: listen = two.example:7 is 2 listeners (127.0.0.1:7, [::1]:7), and with command-gets = "
        "listener a service has one: write one of these addresses in place of two.example");
  CHECK(mistake("unknown.example:7") == "");  // until it is opened
  CHECK(Program().read("listen = two.example:7\n") == "");
}

TEST_CASE("printed settings can be read again and mean the same") {
  Program first;
  REQUIRE(first.read("greeting = \" a \\\"b\\\" # c\"\nlisten = 127.0.0.1:1\nlisten = [::1]:1,name=six\n"
                     "graceful-timeout = 90s\nmax-requests-per-child = 100\n") == "");
  const std::string printed = print_settings(first.settings, first.given, "test");
  Program second;
  REQUIRE(second.read(printed) == "");
  CHECK(second.greeting == first.greeting);
  CHECK(second.service.listen == first.service.listen);
  CHECK(second.service.limits.graceful_timeout == 90s);
  CHECK(second.service.limits.max_requests_per_child == 100);
  CHECK(printed.find("max-requests-per-child = 100  # f.conf:5") != std::string::npos);
}

TEST_CASE("a setting that is removed from the file has its default again") {
  Program program;
  REQUIRE(program.read("greeting = x\n") == "");
  REQUIRE(program.read("") == "");
  CHECK(program.greeting == "Hello");
}

TEST_CASE("what a table does not have is passed over if the program is not known") {
  Program program;
  SettingsReader reader(program.settings);
  reader.pass_over_unknown();
  reader.read_text("greeting = Hi\ndocument-root = /srv\nmax-client = 7\n", "f.conf");
  reader.check();
  CHECK(reader.errors() == "");
  CHECK(reader.passed_over() ==
        std::vector<std::string>{"f.conf:2: unknown setting 'document-root'",
                                 "f.conf:3: unknown setting 'max-client'; did you mean 'max-clients'?"});
}
