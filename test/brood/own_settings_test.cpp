// SPDX-License-Identifier: MIT
// The section [settings] of a service's file: what is read there, what the program is given, who checks it.
#include <doctest/doctest.h>

#include "base/process.hpp"
#include "brood/error.hpp"
#include "config_place.hpp"
#include "directory_settings.hpp"
#include "eventually.hpp"
#include "models/programs/settings_check.hpp"
#include "server_options.hpp"

using namespace brood;
using namespace brood::test;

namespace {

using Words = std::vector<std::string>;

// A service "a" with this file behind "command = ./program" and "listen".
class OwnSettingsPlace : public Place {
 public:
  OwnSettingsPlace() { write("program", "#!/bin/sh\nexit 0\n"); }

  WantedService read(const std::string& file, const std::vector<const char*>& arguments = {}) const {
    write("a.conf", "command = ./program one\nlisten = unix:/tmp/a\n" + file);
    DirectorySettings source{ConfigDirectory(path)};
    source.take(ServerOptions(ConfigDirectory(path).services()).parse(arguments));
    return source.read({}).services.front();
  }
  ServiceConfiguration accepted(const std::string& file,
                                const std::vector<const char*>& arguments = {}) const {
    const WantedService wanted = read(file, arguments);
    REQUIRE_MESSAGE(wanted.configuration, wanted.mistakes);
    return *wanted.configuration;
  }
  // Without the path of the directory.
  std::string mistakes(const std::string& file) const {
    std::string found = read(file).mistakes;
    const std::string directory = path.string() + '/';
    for (std::size_t at = 0; (at = found.find(directory)) != std::string::npos;)
      found.erase(at, directory.size());
    return found;
  }
  std::string program() const { return path / "program"; }
};

Words behind(const Words& all, std::size_t first) {
  return {all.begin() + static_cast<long>(first), all.end()};
}

}  // namespace

TEST_CASE("own settings: the lines of the section are arguments, in their order") {
  const OwnSettingsPlace place;
  const auto service = place.accepted(
      "max-clients = 7\n"
      "[settings]\n"
      "greeting = two words  # a comment\n"
      "  # another\n"
      "max-clients=\"a # \\\" \\\\ \\n\"\n"
      "empty =\n"
      "a.b_c-d = x=y\n"
      "greeting = again\n"
      "command-gets = listener\n",
      {"--a.command-gets=listeners"});
  CHECK(service.limits.max_clients == 6);  // of programs with the listeners
  CHECK(service.command.gets() == CommandGets::listeners);
  CHECK(service.command.words == Words{place.program(), "one", "--greeting=two words",
                                       "--max-clients=a # \" \\ n", "--empty=", "--a.b_c-d=x=y",
                                       "--greeting=again", "--command-gets=listener"});
  CHECK(service.process.environment.empty());
}

TEST_CASE("own settings: as variables they have names that variables can have, and a prefix") {
  const OwnSettingsPlace place;
  const auto service = place.accepted(
      "command-gets = connection\nenvironment = HERE=1\nsettings-as = environment\nsettings-prefix = my_\n"
      "[settings]\nlog-level = 3\na.B_c = x=y z\n");
  CHECK(service.command.words == Words{place.program(), "one"});
  CHECK(service.process.environment == Words{"HERE=1", "my_LOG_LEVEL=3", "my_A_B_C=x=y z"});
}

TEST_CASE("own settings: the line and the command line give them, too, and a list replaces a list") {
  const OwnSettingsPlace place;
  place.write("defaults/all.conf", "settings = shared=1\n");
  const std::string gets = "command-gets = connection\n";
  CHECK(behind(place.accepted(gets).command.words, 2) == Words{"--shared=1"});
  CHECK(behind(place.accepted(gets + "settings = a=1\n[settings]\nb = 2\n").command.words, 2) ==
        Words{"--a=1", "--b=2"});
  CHECK(
      behind(
          place.accepted(gets + "[settings]\nb = 2\n", {"--a.settings=c=3", "--a.settings=d="}).command.words,
          2) == Words{"--c=3", "--d="});
  CHECK(behind(place.accepted(gets + "[settings]\n").command.words, 2).empty());
}

TEST_CASE("own settings: mistakes have the line that they are in") {
  const OwnSettingsPlace place;
  struct Case {
    std::string file, mistakes;
  };
  const std::string gets = "command-gets = connection\n";  // line 3
  const std::string as_variables = gets + "settings-as = environment\n";
  const Case cases[] = {
      {gets + "[setings]\na = 1\n", "a.conf:4: unknown section 'setings'; did you mean 'settings'?"},
      {gets + "[a]\na = 1\n", "a.conf:4: unknown section 'a'"},
      {gets + "[environment]\na = 1\n", "a.conf:4: unknown section 'environment'"},
      {gets + "[settings\na = 1\n", "a.conf:4: '[settings' is not of the form '[SECTION]'"},
      {gets + "[settings]\nflag\n", "a.conf:5: 'flag' is not of the form 'name = value'"},
      {gets + "[settings]\n= 1\n", "a.conf:5: '= 1' is not of the form 'name = value'"},
      {gets + "[settings]\na = \"1\n", "a.conf:5: settings: the closing quote is missing"},
      {gets + "[settings]\na = 1\nb c = 2\n1 = 3\n",
       "a.conf:6: settings = b c=2 has the key 'b c', which is not a letter and then letters, digits, '-', "
       "'_' "
       "and '.'\na.conf:7: settings = 1=3 has the key '1', which is not a letter and then letters, digits, "
       "'-', '_' and '.'"},
      {gets + "settings = a\n", "a.conf:4: settings = a is not KEY=VALUE"},
      {as_variables + "[settings]\nlog-level = 1\nb = 2\nLog.Level = 3\n",
       "a.conf:8: settings = Log.Level=3: the variable LOG_LEVEL is already set at a.conf:6"},
      {as_variables + "settings-prefix = 1-\n[settings]\na = 1\n",
       "a.conf:5: settings-prefix = 1- is no beginning of the name of a variable"},
      {gets + "settings-check = sh -c exit\n",
       "a.conf:4: settings-check = sh -c exit does not begin with an absolute path: sh"},
      {"command-gets = slot\n[settings]\nword = 1\nmax-clients = 3\n",
       "a.conf:6: settings = max-clients=3 is a setting of the service: write it in front of [settings]"},
  };
  for (const auto& [file, mistakes] : cases) CHECK(place.mistakes(file) == mistakes);
  place.write("a.conf", "built-in = echo\nlisten = unix:/tmp/a\n[settings]\na = 1\n");
  DirectorySettings source(ConfigDirectory(place.path));
  source.take({});
  CHECK(source.read({}).services.front().mistakes ==
        place.path.string() + "/a.conf:4: settings = a=1 is for a program, and there is no command");
}

TEST_CASE("own settings: a command checks them, and what it writes to standard error is the mistake") {
  const OwnSettingsPlace place;
  place.write("check", "#!/bin/sh\necho no mistake\necho \"has $# $1 $BROOD_SERVICE $A$X\" >&2\nexit $X\n");
  const std::string begin = "command-gets = connection\nsettings-check = ./check of\n";
  CHECK(place.mistakes(begin + "environment = X=0\n").empty());
  CHECK(place.mistakes(begin + "environment = X=3\n[settings]\na = 1\n") ==
        "a.conf:6: settings: has 2 of a 3");
  CHECK(place.mistakes(begin + "environment = X=3\nsettings-as = environment\n[settings]\na = 1\n") ==
        "a.conf:7: settings: has 1 of a 13");
  CHECK(place.mistakes(begin + "environment = X=3\n") == "a.conf:4: settings-check: has 1 of a 3");
  place.write("check", "#!/bin/sh\nexit 5\n");
  CHECK(place.mistakes(begin) == "a.conf:4: settings-check: check exited with code 5");
  place.write("check", "#!/bin/sh\nkill -9 $$\n");
  CHECK(place.mistakes(begin) == "a.conf:4: settings-check: check was killed by signal 9 (Killed)");
  std::filesystem::permissions(place.path / "check", std::filesystem::perms::owner_read);
  CHECK(place.mistakes(begin) == "a.conf:4: settings-check: check: can't be run: Permission denied");
  // A process that was rehearsed does not ask again.
  DirectorySettings source(ConfigDirectory(place.path));
  source.take({});
  InForce rehearsed;
  rehearsed.rehearsed = true;
  CHECK(source.read(rehearsed).mistakes().empty());
}

TEST_CASE(
    "own settings: a program that takes a slot checks them itself, unless there is none or nobody shall") {
  const OwnSettingsPlace place;
  place.write("program", "#!/bin/sh\n[ \"$BROOD_CHILD\" = test ] || exit 9\necho \"$@\" >&2\nexit 1\n");
  CHECK(place.mistakes("command-gets = slot\n[settings]\nword = x\n") ==
        "a.conf:4: settings: one --word=x --test-config");
  CHECK(place.mistakes("command-gets = slot\n").empty());
  CHECK(place.mistakes("command-gets = slot\nsettings-check = none\n[settings]\nword = x\n").empty());
  CHECK(place.mistakes("command-gets = listeners\n[settings]\nword = x\n").empty());
}

TEST_CASE("own settings: a check has its time, and nothing that it has started goes on") {
  const OwnSettingsPlace place;
  place.write("check", "#!/bin/sh\nsleep 1000 & echo $! > " + (place.path / "pid").string() +
                           "\necho hangs >&2\nwait\n");
  const std::vector<SettingsCheck> checks = {{.service = "a", .words = {place.path / "check"}}};
  CHECK(run_settings_checks(checks, {.each = std::chrono::seconds(1)}) ==
        Words{(place.path / "check").string() + " took longer than 1s"});
  pid_t left = 0;
  std::ifstream(place.path / "pid") >> left;
  REQUIRE(left > 0);
  const auto is_gone = [&] {
    const char state = state_of(left);
    return state == '\0' || state == 'Z';
  };
  CHECK(eventually(is_gone));
  // A process that is left with its standard error does not keep the check waiting.
  place.write("check", "#!/bin/sh\nsleep 1000 &\necho bad >&2\nexit 1\n");
  CHECK(run_settings_checks(checks, {.each = std::chrono::seconds(100), .all = std::chrono::seconds(100)}) ==
        Words{"bad"});
}

TEST_CASE("own settings: checks that hang do not hold up others, and all together have their time") {
  const OwnSettingsPlace place;
  place.write("hangs", "#!/bin/sh\nexec sleep 1000\n");
  place.write("fails", "#!/bin/sh\necho bad >&2\nexit 1\n");
  place.write("fits", "#!/bin/sh\nexit 0\n");
  const std::string hangs = place.path / "hangs";
  std::vector<SettingsCheck> checks(20, {.words = {hangs}});
  checks.push_back({.words = {place.path / "fails"}});
  checks.push_back({.words = {place.path / "fits"}});
  checks.push_back({});
  for (std::size_t i = 0; i < checks.size(); ++i) checks[i].service = std::to_string(i);
  using std::chrono::milliseconds;
  const milliseconds each(2000), long_time(100'000);
  const auto outcomes =
      run_settings_checks(checks, {.each = each, .all = long_time, .at_once = 2, .usual = milliseconds(20)});
  Words expected(20, hangs + " took longer than 2s");
  for (const char* const outcome : {"bad", "", ""}) expected.emplace_back(outcome);
  CHECK(outcomes == expected);

  const auto all = run_settings_checks(
      checks, {.each = long_time, .all = milliseconds(300), .at_once = 2, .usual = long_time});
  expected.assign(2, hangs + " had not ended when those of all services had taken 300ms");
  expected.resize(20, hangs + " was not run: those of other services took 300ms");
  for (const char* const program : {"fails", "fits"})
    expected.push_back((place.path / program).string() + " was not run: those of other services took 300ms");
  expected.emplace_back();
  CHECK(all == expected);
}
