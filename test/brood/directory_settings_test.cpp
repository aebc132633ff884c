// SPDX-License-Identifier: MIT
// What brood reads from its directory beside what is in force, and what it reads of that alone.
#include "directory_settings.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "brood/error.hpp"
#include "config_place.hpp"
#include "environment_variables.hpp"
#include "server_options.hpp"

using namespace brood;
using namespace brood::test;

namespace {

namespace fs = std::filesystem;

CommandLine line(const Place& place, const std::vector<const char*>& arguments) {
  return ServerOptions(ConfigDirectory(place.path).services()).parse(arguments);
}

const ServiceConfiguration& of(const WantedSettings& all, const std::string& name) {
  const auto found = std::ranges::find(all.services, name, &WantedService::name);
  REQUIRE(found != all.services.end());
  REQUIRE_MESSAGE(found->configuration, found->mistakes);
  return *found->configuration;
}

const std::vector<std::string>& need_restart(const WantedSettings& all, const std::string& name) {
  return std::ranges::find(all.services, name, &WantedService::name)->need_restart;
}

bool same(const GivenSettings& left, const GivenSettings& right) {
  return std::ranges::equal(left, right, [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.values == other.second.values &&
           one.second.where == other.second.where;
  });
}

// As if all of it was accepted.
InForce in_force(const WantedSettings& settings) {
  InForce all{.parent = settings.parent};
  for (const auto& service : settings.services)
    if (service.configuration) all.services[service.name] = service.configuration;
  return all;
}

WantedSettings restored(const DirectorySettings& source, const WantedSettings& settings) {
  std::vector<std::pair<std::string, ServiceLayers>> services;
  for (const auto& [name, configuration] : in_force(settings).services)
    services.push_back({name, {configuration->given, configuration->scaled, true}});
  return source.restore(settings.parent->given, services);
}

}  // namespace

TEST_CASE(
    "directory settings: the environment for a service, and for all, stands between file and command line") {
  const EnvironmentVariables variables{{"BROOD_MAX_CLIENTS", "20"},  {"BROOD_A_MAX_CLIENTS", "21"},
                                       {"BROOD_C_MAX_CLIENTS", "x"}, {"BROOD_START_SERVERS", "1"},
                                       {"BROOD_NAME", "mine"},       {"BROOD_A_START_SERVERS", "2"}};
  Place place;
  place.write("defaults/all.conf", "max-clients = 30\n");
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\nmax-clients = 31\n");
  place.write("b.conf", "built-in = echo\nlisten = 127.0.0.1:5\n");
  DirectorySettings source(ConfigDirectory(place.path));
  source.take(line(place, {"--a.start-servers=3"}));
  const auto wanted = source.read({});
  CHECK(wanted.parent->name == "mine");
  CHECK(of(wanted, "a").limits.max_clients == 21);
  CHECK(of(wanted, "a").limits.start_servers == 3);
  CHECK(of(wanted, "b").limits.max_clients == 20);
  CHECK(of(wanted, "b").limits.start_servers == 1);
  CHECK(source.environment().strangers().empty());
  // A service that comes later has its variables, too; a mistake there concerns it alone.
  place.write("c.conf", "built-in = echo\nlisten = 127.0.0.1:6\n");
  const auto next = source.read(in_force(wanted));
  CHECK(
      std::ranges::find(next.services, "c", &WantedService::name)->mistakes ==
      "environment variable BROOD_C_MAX_CLIENTS, service c: max-clients = x is not a whole number without a "
      "sign");
  CHECK(of(next, "b").limits.max_clients == 20);
}

TEST_CASE("directory settings: the values in force are restored without the files") {
  Place place;
  place.write("defaults/all.conf", "max-clients = 20\nname = mine\nlog-level = debug\n");
  place.write("a.conf",
              "built-in = echo\nlisten = unix:/tmp/a one,mode=0600\nlisten = 127.0.0.1:4\non-failure = "
              "/bin/echo 'y z'\n");
  place.write("b.conf", "command = ./program \"with a space\"\ncommand-gets = slot\nlisten = 127.0.0.1:5\n");
  place.write("program", "#!/bin/sh\n");
  DirectorySettings source(ConfigDirectory(place.path));
  source.take(line(place, {"--a.max-clients=40", "--b.listen=127.0.0.1:6", "--b.listen=127.0.0.1:7",
                           "--max-requests-per-child=9"}));
  const auto first = source.read({});
  REQUIRE(of(first, "a").listen_specs.size() == 2);

  for (const char* file : {"a.conf", "b.conf", "defaults/all.conf", "program"}) fs::remove(place.path / file);
  const auto second = restored(source, first);
  CHECK(second.services.size() == 2);
  for (const char* name : {"a", "b"}) {
    CAPTURE(name);
    const auto &one = of(first, name), &other = of(second, name);
    CHECK(one.limits == other.limits);
    CHECK(one.listen == other.listen);
    CHECK(one.command.words == other.command.words);
    CHECK(one.command.gets() == other.command.gets());
    CHECK(one.on_failure_words == other.on_failure_words);
    CHECK(one.log == other.log);
    CHECK(one.model.command == other.model.command);
    CHECK(same(one.given, other.given));
  }
  CHECK(of(second, "a").limits.max_clients == 40);
  CHECK(of(second, "b").limits.max_clients == 20);
  CHECK(of(second, "b").limits.max_requests_per_child == 9);
  CHECK(of(second, "b").listen == std::vector<std::string>{"127.0.0.1:6", "127.0.0.1:7"});
  CHECK(second.parent->name == "mine");
  CHECK(source.print(second) == source.print(first));

  // The next reading is of the files again, and the command line holds.
  CHECK_THROWS_AS(source.read(in_force(second)), ConfigurationError);
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\n");
  const auto third = source.read(in_force(second));
  CHECK(third.services.size() == 1);
  CHECK(of(third, "a").limits.max_clients == 40);
  CHECK(of(third, "a").limits.max_requests_per_child == 9);
}

TEST_CASE(
    "directory settings: what needs a restart is found beside what is in force, never beside defaults") {
  Place place;
  const std::string echo = "built-in = echo\nlisten = 127.0.0.1:4\n";
  place.write("a.conf", echo + "listen-backlog = 9\n");
  const DirectorySettings source(ConfigDirectory(place.path));
  const auto first = source.read({});
  CHECK(need_restart(first, "a").empty());
  CHECK(of(first, "a").listen_backlog == 9);
  CHECK(need_restart(source.read(in_force(first)), "a").empty());

  place.write("a.conf", echo + "listen-backlog = 8\nmax-clients = 30\n");
  place.write("b.conf", "built-in = echo\nlisten = 127.0.0.1:5\nlisten-backlog = 7\n");
  InForce known = in_force(first);
  for (int i = 0; i < 2; ++i) {
    const auto next = source.read(known);
    CHECK(need_restart(next, "a") ==
          std::vector{(place.path / "a.conf").string() +
                      ":3: setting listen-backlog has changed; that needs a restart of service a: broodctl "
                      "restart a"});
    CHECK(of(next, "a").listen_backlog == 9);
    CHECK(of(next, "a").limits.max_clients == 30);
    CHECK(need_restart(next, "b").empty());
    CHECK(of(next, "b").listen_backlog == 7);
    known = in_force(next);
  }
  // After an upgrade that was refused, too.
  const auto back = restored(source, source.read(known));
  CHECK(of(back, "a").listen_backlog == 9);
  CHECK(of(back, "b").listen_backlog == 7);

  known.restarted = "a";
  CHECK(need_restart(source.read(known), "a").empty());
  CHECK(of(source.read(known), "a").listen_backlog == 8);
  // As it is in force again.
  known.restarted = "";
  place.write("a.conf", echo + "listen-backlog = 9\n");
  CHECK(need_restart(source.read(known), "a").empty());
}

TEST_CASE("directory settings: what children run waits as a whole for a restart of the service") {
  Place place;
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\n");
  const DirectorySettings source(ConfigDirectory(place.path));
  InForce known = in_force(source.read({}));
  place.write("a.conf", "built-in = discard\nlisten = 127.0.0.1:4\n");
  CHECK(need_restart(source.read(known), "a").empty());
  place.write("a.conf",
              "command = /bin/cat\ncommand-gets = connection\nlisten = 127.0.0.1:4\nmax-clients = 30\n");
  const auto next = source.read(known);
  CHECK(need_restart(next, "a").size() == 3);
  CHECK_FALSE(of(next, "a").model.command);
  CHECK(of(next, "a").command.words.empty());
  CHECK(of(next, "a").limits.max_clients == 30);
  known.restarted = "a";
  const auto restarted = source.read(known);
  CHECK(need_restart(restarted, "a").empty());
  CHECK(of(restarted, "a").command.words.front() == "/bin/cat");
}

TEST_CASE("directory settings: settings of the parent wait for a restart of the server") {
  Place place;
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\n");
  place.write("defaults/all.conf", "name = mine\n");
  const DirectorySettings source(ConfigDirectory(place.path));
  const auto first = source.read({});
  place.write("defaults/all.conf", "name = other\nlog-level = debug\n");
  const auto next = source.read(in_force(first));
  REQUIRE(next.need_restart.size() == 1);
  CHECK(next.need_restart.front().ends_with("setting name has changed; that needs a restart of the server"));
  CHECK(next.parent->name == "mine");
  CHECK(next.parent->log.level == "debug");
}

TEST_CASE("directory settings: scaled limits win over the file, and are no change of it") {
  Place place;
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\nmax-clients = 30\nlisten-backlog = 9\n");
  const DirectorySettings source(ConfigDirectory(place.path));
  auto settings = source.read({});
  settings.services[0].configuration =
      source.scale(of(settings, "a"), {{"max-clients", "40"}, {"start-servers", "6"}}).configuration;
  CHECK(of(settings, "a").limits.max_clients == 40);
  CHECK(of(settings, "a").listen_backlog == 9);
  CHECK(of(settings, "a").scaled.size() == 2);
  CHECK(of(restored(source, settings), "a").limits.max_clients == 40);
  CHECK(of(source.read(in_force(settings)), "a").limits.max_clients == 30);
  CHECK_THROWS_AS(source.scale(of(settings, "a"), {{"max-clients", "many"}}), ConfigurationError);
  CHECK(source.scale(of(settings, "a"), {{"max-clients", "30"}}).configuration->scaled.empty());
}
