// SPDX-License-Identifier: MIT
// What brood hands over of its settings: the former program goes on with it, without a file.
#include "directory_settings.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "brood/error.hpp"
#include "config_place.hpp"
#include "server_options.hpp"

using namespace brood;
using namespace brood::test;

namespace {

namespace fs = std::filesystem;

CommandLine line(const Place& place, const std::vector<const char*>& arguments) {
  return ServerOptions(ConfigDirectory(place.path).services()).parse(arguments);
}

const ServiceConfiguration& of(const std::vector<WantedService>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &WantedService::name);
  REQUIRE(found != all.end());
  REQUIRE_MESSAGE(found->configuration, found->mistakes);
  return *found->configuration;
}

bool same(const GivenSettings& left, const GivenSettings& right) {
  return std::ranges::equal(left, right, [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.values == other.second.values &&
           one.second.where == other.second.where;
  });
}

}  // namespace

TEST_CASE("directory settings: the values in force are restored without the files") {
  Place place;
  place.write("defaults/all.conf", "max-clients = 20\nname = mine\nlog-level = debug\n");
  place.write("a.conf",
              "built-in = echo\nlisten = unix:/tmp/a one,mode=0600\nlisten = 127.0.0.1:4\non-failure = "
              "/bin/echo 'y z'\n");
  place.write("b.conf", "command = ./program \"with a space\"\ncommand-gets = slot\nlisten = 127.0.0.1:5\n");
  place.write("program", "#!/bin/sh\n");
  const CommandLine typed = line(place, {"--a.max-clients=40", "--b.listen=127.0.0.1:6",
                                         "--b.listen=127.0.0.1:7", "--max-requests-per-child=9"});
  DirectorySettings before(ConfigDirectory(place.path));
  before.take(typed);
  const auto first = before.read();
  before.commit(When::starting, "");
  REQUIRE(of(first, "a").listen_specs.size() == 2);
  const GivenSettings given = before.given();
  const std::string printed = before.print();

  for (const char* file : {"a.conf", "b.conf", "defaults/all.conf"}) fs::remove(place.path / file);
  DirectorySettings after(ConfigDirectory(place.path));
  after.take(typed);
  after.go_by(given);
  const auto second = after.read();
  after.commit(When::starting, "");
  CHECK(second.size() == 2);
  for (const char* name : {"a", "b"}) {
    CAPTURE(name);
    const auto &one = of(first, name), &other = of(second, name);
    CHECK(one.limits == other.limits);
    CHECK(one.listen == other.listen);
    CHECK(one.command.words == other.command.words);
    CHECK(one.command.gets() == other.command.gets());
    CHECK(one.on_failure_words == other.on_failure_words);
    CHECK(one.log_level == other.log_level);
    CHECK(one.model.command == other.model.command);
  }
  CHECK(of(second, "a").limits.max_clients == 40);
  CHECK(of(second, "b").limits.max_clients == 20);
  CHECK(of(second, "b").limits.max_requests_per_child == 9);
  CHECK(of(second, "b").listen == std::vector<std::string>{"127.0.0.1:6", "127.0.0.1:7"});
  CHECK(after.in_force().name == "mine");
  CHECK(after.in_force().services.size() == 2);
  CHECK(same(after.given(), given));
  CHECK(after.print() == printed);

  // The next reading is of the files again, and the command line holds.
  CHECK_THROWS_AS(after.read(), ConfigurationError);
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\n");
  const auto third = after.read();
  CHECK(third.size() == 1);
  CHECK(of(third, "a").limits.max_clients == 40);
  CHECK(of(third, "a").limits.max_requests_per_child == 9);
}

TEST_CASE("directory settings: a service that kept its settings is handed over as it was") {
  Place place;
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\nmax-clients = 30\n");
  place.write("b.conf", "built-in = echo\nlisten = 127.0.0.1:5\n");
  DirectorySettings before(ConfigDirectory(place.path));
  before.read();
  before.commit(When::starting, "");
  place.write("a.conf", "built-in = echo\nlisten = 127.0.0.1:4\nmax-clients = 31\n");
  place.write("b.conf", "built-in = echo\nlisten = 127.0.0.1:5\nmax-clients = many\n");
  place.write("c.conf", "built-in = discard\nlisten = 127.0.0.1:6\n");
  before.read();
  before.keep("a");  // as for a listener that can't be opened
  before.commit(When::running, "");
  const GivenSettings given = before.given();
  DirectorySettings after(ConfigDirectory(place.path));
  after.go_by(given);
  const auto wanted = after.read();
  CHECK(wanted.size() == 3);
  CHECK(of(wanted, "a").limits.max_clients == 30);
  CHECK(of(wanted, "b").limits.max_clients == 256);
  CHECK(of(wanted, "c").listen == std::vector<std::string>{"127.0.0.1:6"});
  after.commit(When::starting, "");
  CHECK(same(after.given(), given));
}
