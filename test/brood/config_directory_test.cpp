// SPDX-License-Identifier: MIT
#include "config_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "brood/error.hpp"
#include "config_place.hpp"
#include "server_options.hpp"

using namespace brood;
using namespace brood::test;

namespace {

namespace fs = std::filesystem;

ConfigDirectory directory_at(const Place& place) { return ConfigDirectory(place.path); }

std::string named(std::initializer_list<const char*> arguments) {
  const std::vector<const char*> words(arguments);
  return directory_named_in(words);
}

}  // namespace

TEST_CASE("services are the files NAME.conf, by name") {
  const Place place;
  for (const char* name : {"b.conf", "a.conf", "c.conf~", ".d.conf", "e", "f.conf.bak", "a b.conf"})
    place.write(name);
  fs::create_directory(place.path / "g.conf");
  std::vector<std::string> names;
  for (const auto& service : directory_at(place).services()) {
    names.push_back(service.service);
    CHECK(service.path == place.path / (service.service + ".conf"));
  }
  CHECK(names == std::vector<std::string>{"a b", "a", "b"});
}

TEST_CASE("a directory that is not there, or says nothing, is a mistake; defaults may be missing") {
  const Place place;
  CHECK_THROWS_WITH_AS(directory_at(place).services(), doctest::Contains("has no file NAME.conf"),
                       ConfigurationError);
  CHECK_THROWS_WITH_AS(ConfigDirectory(place.path / "none").services(),
                       doctest::Contains("No such file or directory"), ConfigurationError);
  CHECK(directory_at(place).defaults().empty());
  place.write("defaults/b.conf");
  place.write("defaults/a.conf");
  CHECK(directory_at(place).defaults() ==
        std::vector<std::string>{place.path / "defaults/a.conf", place.path / "defaults/b.conf"});
  fs::remove_all(place.path / "defaults");
  CHECK(directory_at(place).defaults().empty());
  place.write("defaults");  // a file
  CHECK_THROWS_AS(directory_at(place).defaults(), ConfigurationError);
}

TEST_CASE("a command of a file is found from there") {
  CHECK(resolve_command("/bin/cat -n ./x", "/etc/brood/a.conf") == "/bin/cat -n ./x");
  CHECK(resolve_command("cat", "/etc/brood/a.conf") == "cat");
  CHECK(resolve_command("", "/etc/brood/a.conf").empty());
  CHECK(resolve_command("./cat -n ./x", "/etc/no-such/a.conf") == "/etc/no-such/cat -n ./x");
  CHECK(resolve_command("../../bin/cat", "/etc/no-such/a.conf") == "/bin/cat");
  CHECK(resolve_command("./cat\t-n", "/no such/a.conf") == "\"/no such/cat\"\t-n");
  CHECK(resolve_command("./cat", "/no\"such/a.conf") == "\"/no\\\"such/cat\"");
  CHECK(resolve_command("./cat", "no-such/a.conf") == fs::current_path() / "no-such/cat");
}

TEST_CASE("the directory is known before the rest of the command line is") {
  CHECK(named({}) == default_directory);
  CHECK(named({"--strict", "--config-directory=/a"}) == "/a");
  CHECK(named({"--config-directory", "/a", "--strict"}) == "/a");
  CHECK_THROWS_AS(named({"--config-directory"}), ConfigurationError);
  CHECK(named({"--config-directory-of-mine=/a"}) == default_directory);
}

TEST_CASE("the command line has settings for all, and for each service that can be called so") {
  const ServerOptions table({{"a", "a.conf"}, {"b c", "b c.conf"}});
  const std::vector<const char*> words = {"--a.max-clients=3", "--max-clients=4", "--try-lock", "--strict"};
  const CommandLine line = table.parse(words);
  CHECK(line.settings.at("a.max-clients").values.front() == "3");
  CHECK(line.settings.at("max-clients").values.front() == "4");
  CHECK(line.settings.at("strict").values.front() == "yes");
  CHECK(line.options.contains("try-lock"));
  const std::vector<const char*> wrong = {"--a.name=x"};
  CHECK_THROWS_AS(table.parse(wrong), ConfigurationError);
  CHECK(table.help().find("\n  a\n") != std::string::npos);
}
