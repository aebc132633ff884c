// SPDX-License-Identifier: MIT
// What a program of the kit reads for its services beside what is in force.
#include "program/program_settings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "brood/error.hpp"
#include "brood/server_base.hpp"
#include "brood/settings.hpp"
#include "environment_variables.hpp"

using namespace brood;
using namespace brood::test;

namespace {

class Greeter final : public ServerBase {
 public:
  std::string greeting = "Hello", fixed = "Brood";
  std::string checked;  // the greeting that was checked last

 private:
  void check_settings() override {
    checked = greeting;
    if (greeting == fixed) throw ConfigurationError("greeting and fixed are both " + fixed);
    if (greeting == "anything") throw 42;
  }
  void serve(Child& /*child*/) override {}
  void add_settings(Settings& settings) override {
    settings.text("greeting", greeting, "");
    settings.text("fixed", fixed, "").applied_on = AppliedOn::restart;
    settings.set_default("listen", {"127.0.0.1:7"});
    settings.set_default("max-clients", {"77"});
  }
};

struct Program {
  explicit Program(std::vector<std::string> names) : servers(names.size()) {
    std::vector<NamedServer> named;
    for (std::size_t i = 0; i < names.size(); ++i) named.push_back({names[i], &servers[i]});
    settings = std::make_unique<ProgramSettings>("program", named);
  }
  void give(std::vector<const char*> arguments) {
    settings->take(parse_command_line(settings->table(), arguments));
  }
  std::vector<Greeter> servers;
  std::unique_ptr<ProgramSettings> settings;
};

InForce in_force(const WantedSettings& settings) {
  InForce all{.parent = settings.parent};
  for (const auto& service : settings.services) all.services[service.name] = service.configuration;
  return all;
}

}  // namespace

TEST_CASE("a reading stores nothing, and what was accepted is stored then") {
  Program program({""});
  program.give({"--greeting=Hi", "--max-clients=80"});
  const auto wanted = program.settings->read({});
  CHECK(program.servers[0].greeting == "Hello");
  CHECK(wanted.services[0].configuration->limits.max_clients == 80);
  CHECK(wanted.services[0].name == "program");
  wanted.services[0].store();
  CHECK(program.servers[0].greeting == "Hi");
  // Without a value there is the default again.
  program.give({});
  program.settings->read(in_force(wanted)).services[0].store();
  CHECK(program.servers[0].greeting == "Hello");
}

TEST_CASE("a service has the name that its program gives it, or that of the server") {
  for (const char* name : {"", "imap"}) {
    Program program({name});
    program.give({"--name=mail"});
    const auto wanted = program.settings->read({});
    CHECK(wanted.services[0].name == (*name == '\0' ? "mail" : name));
    CHECK(wanted.services[0].configuration->name == wanted.services[0].name);
    program.give({"--name=other"});
    CHECK(program.settings->read(in_force(wanted)).services[0].name == wanted.services[0].name);
  }
}

TEST_CASE("a server checks its settings together, and what it refuses leaves no mark") {
  Program program({""});
  const Greeter& server = program.servers[0];
  program.give({"--greeting=Hi"});
  const auto wanted = program.settings->read({});
  CHECK(server.checked == "Hi");
  CHECK(server.greeting == "Hello");
  wanted.services[0].store();
  program.give({"--greeting=Brood"});
  CHECK_THROWS_WITH(program.settings->read(in_force(wanted)),
                    "service program: greeting and fixed are both Brood");
  CHECK(server.greeting == "Hi");
  program.give({"--greeting=anything"});
  CHECK_THROWS_AS(program.settings->read(in_force(wanted)), ConfigurationError);
  CHECK(server.greeting == "Hi");
  // Right for a start, but not beside what stays until a restart.
  program.give({"--greeting=Brood", "--fixed=other"});
  CHECK_THROWS_AS(program.settings->read(in_force(wanted)), ConfigurationError);
  CHECK(program.settings->read({}).services[0].configuration != nullptr);
  CHECK(server.greeting == "Hello");  // nothing was in force for this reading
}

TEST_CASE("a server's defaults hold for a service, alone and of several") {
  for (const auto& names : {std::vector<std::string>{""}, {"a", "b"}}) {
    Program program(names);
    program.give(names.size() > 1 ? std::vector<const char*>{"--b.listen=127.0.0.1:8"}
                                  : std::vector<const char*>{});
    const auto wanted = program.settings->read({});
    CHECK(wanted.services[0].configuration->listen == std::vector<std::string>{"127.0.0.1:7"});
    CHECK(wanted.services[0].configuration->limits.max_clients == 77);
  }
  // What services share wins over the default of one.
  Program program({"a", "b"});
  program.give({"--b.listen=127.0.0.1:8", "--max-clients=90", "--b.max-clients=91"});
  const auto wanted = program.settings->read({});
  CHECK(wanted.services[0].configuration->limits.max_clients == 90);
  CHECK(wanted.services[1].configuration->limits.max_clients == 91);
}

TEST_CASE("the environment is a layer between file and command line, for a service and for all") {
  const EnvironmentVariables variables{{"PROGRAM_MAX_CLIENTS", "90"},  {"PROGRAM_B_MAX_CLIENTS", "91"},
                                       {"BROOD_LOG_LEVEL", "debug"},   {"PROGRAM_B_GREETING", "Hi"},
                                       {"PROGRAM_START_SERVERS", "4"}, {"PROGRAM_B_LISTEN", "127.0.0.1:8"}};
  Program program({"a", "b"});
  program.give({"--start-servers=3"});
  const auto wanted = program.settings->read({});
  const auto& a = *wanted.services[0].configuration;
  const auto& b = *wanted.services[1].configuration;
  CHECK(a.limits.max_clients == 90);
  CHECK(b.limits.max_clients == 91);
  CHECK(b.limits.start_servers == 3);
  CHECK(b.listen == std::vector<std::string>{"127.0.0.1:8"});
  CHECK(wanted.parent->log.level == "debug");
  CHECK(a.log.level == "debug");
  wanted.services[1].store();
  CHECK(program.servers[1].greeting == "Hi");
  const std::string printed = program.settings->print(wanted);
  CHECK(printed.find("\ngreeting = Hi  # environment variable PROGRAM_B_GREETING\n") != std::string::npos);
  // What is in force does not differ from what a reload reads.
  CHECK(program.settings->read(in_force(wanted)).services[1].need_restart.empty());
}

TEST_CASE("a mistake in the environment is reported with the variable") {
  const EnvironmentVariables variables{{"PROGRAM_B_MAX_CLIENTS", "many"},
                                       {"PROGRAM_B_LISTEN", "127.0.0.1:8"}};
  const Program program({"a", "b"});
  CHECK_THROWS_WITH(program.settings->read({}),
                    "environment variable PROGRAM_B_MAX_CLIENTS: b.max-clients = many is not a whole number "
                    "without a sign");
}

TEST_CASE("a change that needs a restart is reported once, and keeps what is in force") {
  for (const auto& names : {std::vector<std::string>{""}, {"a", "b"}}) {
    Program program(names);
    const bool several = names.size() > 1;
    program.give(several ? std::vector<const char*>{"--b.listen=127.0.0.1:8"} : std::vector<const char*>{});
    const auto first = program.settings->read({});
    program.give(several ? std::vector<const char*>{"--b.listen=127.0.0.1:8", "--a.fixed=other", "--name=new"}
                         : std::vector<const char*>{"--fixed=other", "--name=new"});
    InForce known = in_force(first);
    for (const char* restarted : {"", "a", "program"}) {
      known.restarted = restarted;
      const auto next = program.settings->read(known);
      CHECK(next.need_restart ==
            std::vector<std::string>{
                "command line: setting name has changed; that needs a restart of the server"});
      CHECK(next.services[0].need_restart ==
            std::vector<std::string>{
                several ? "command line: setting a.fixed has changed; that needs a restart of the server"
                        : "command line: setting fixed has changed; that needs a restart of the server"});
      CHECK(next.parent->name == "program");
      next.services[0].store();
      CHECK(program.servers[0].fixed == "Brood");
    }
  }
}

TEST_CASE("the mistakes of all services are reported at once") {
  Program program({"a", "b"});
  program.give({"--b.listen=127.0.0.1:7", "--name="});
  CHECK_THROWS_WITH(program.settings->read({}),
                    "command line: name =  is not 1 to 63 bytes without '/'\n"
                    "command line: b.listen = 127.0.0.1:7 is the same address as one of service a");
}

TEST_CASE("a service that has every address of a port leaves none to another one") {
  Program program({"a", "b"});
  program.give({"--a.listen=127.0.0.1:7", "--b.listen=*:7"});
  CHECK_THROWS_WITH(program.settings->read({}),
                    "command line: b.listen = *:7 overlaps, as one of the two is every address of that port, "
                    "with one of service a (command line)");
}
