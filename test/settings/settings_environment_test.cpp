// SPDX-License-Identifier: MIT
#include "settings/settings_environment.hpp"

#include <doctest/doctest.h>

#include "brood/error.hpp"
#include "brood/settings.hpp"
#include "environment_variables.hpp"

using namespace brood;
using namespace brood::test;

namespace {

struct Table {
  std::string word;
  std::vector<std::string> roots;
  unsigned number = 1;
  Settings own, all;

  Table() {
    own.text("word", word, "");
    own.number("a-number", number, 1, 9, "");
    own.list("roots", roots, "");
    all = own;
    all.add_service("Im-ap", own);
  }
};

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("a variable is a setting of this program, or of every program of the kit") {
  const Table table;
  const EnvironmentVariables variables{{"MY_ECHO_2_A_NUMBER", "5"},  {"BROOD_A_NUMBER", "6"},
                                       {"BROOD_WORD", "two words"},  {"MY_ECHO_2_IM_AP_WORD", ""},
                                       {"MY_ECHO_WORD", "of other"}, {"A_NUMBER", "7"}};
  const SettingsEnvironment environment("my-echo.2", table.all);
  const GivenSettings given = environment.given(table.all);
  CHECK(given.size() == 3);
  CHECK(given.at("a-number").values == Values{"5"});
  CHECK(given.at("a-number").where == "environment variable MY_ECHO_2_A_NUMBER");
  CHECK(given.at("word").values == Values{"two words"});
  CHECK(given.at("word").where == "environment variable BROOD_WORD");
  CHECK(given.at("Im-ap.word").values == Values{""});
  const GivenSettings of_service = environment.given(table.own, "im_ap");
  CHECK(of_service.size() == 1);
  CHECK(of_service.at("word").values == Values{""});
  CHECK(environment.strangers().empty());
}

TEST_CASE("the values of a list are separated by blanks, and quotes keep blanks together") {
  const Table table;
  const struct {
    const char* value;
    Values values;
  } rows[] = {{"/a", {"/a"}},
              {" /a  \t/b,c ", {"/a", "/b,c"}},
              {"'/a b' \"/c d\" /e\\ f", {"/a b", "/c d", "/e f"}},
              {"", {""}},
              {"''", {""}}};
  for (const auto& row : rows) {
    CAPTURE(row.value);
    const EnvironmentVariables variables{{"ECHO_ROOTS", row.value}};
    CHECK(SettingsEnvironment("echo", table.own).given(table.own).at("roots").values == row.values);
  }
  const EnvironmentVariables variables{{"ECHO_ROOTS", "'/a"}};
  CHECK_THROWS_WITH_AS(SettingsEnvironment("echo", table.own).given(table.own),
                       "environment variable ECHO_ROOTS: ''/a' has a quote that is not closed",
                       ConfigurationError);
}

TEST_CASE("a variable that is no setting is named, unless it may be somebody else's") {
  const Table table;
  const EnvironmentVariables variables{{"SSH_AUTH_SOCK", "/tmp/a"},
                                       {"SSH_WORDS", "x"},
                                       {"BROOD_COLOUR", "red"},
                                       {"BROOD_A_NUMBRE", "1"},
                                       {"BROOD_IM_AP_WORD", "x"},
                                       {"OTHER_WORDS", "x"},
                                       // Of the kit, for its programs.
                                       {"BROOD_SERVICE", "a"},
                                       {"BROOD_LISTENER", "a"},
                                       {"BROOD_EXIT_CODE", "1"},
                                       {"BROOD_CHILD", "x"}};
  CHECK(SettingsEnvironment("ssh", table.all).strangers() ==
        Values{"environment variable BROOD_A_NUMBRE is no setting of this server; did you mean "
               "BROOD_A_NUMBER?",
               "environment variable BROOD_COLOUR is no setting of this server",
               "environment variable SSH_WORDS is no setting of this server; did you mean SSH_WORD?"});
  // Services of any name.
  const auto strangers = SettingsEnvironment("brood", table.own, table.own).strangers();
  CHECK(strangers.size() == 2);
  // The variables of systemd are those of no program called so.
  const EnvironmentVariables systemd{{"LISTEN_FDS", "1"}, {"LISTEN_PID", "1"}};
  std::string pids;
  Settings settings;
  settings.text("pids", pids, "");
  for (const auto& message : SettingsEnvironment("listen", settings).strangers())
    CHECK(message.find("LISTEN_") == std::string::npos);
}

TEST_CASE("a program whose name begins as the kit's has its own variables") {
  const Table table;
  const EnvironmentVariables variables{
      {"BROOD_ECHO_WORD", "its"}, {"BROOD_WORD", "all"}, {"BROOD_ECHO_COLOUR", "red"}};
  const SettingsEnvironment environment("brood-echo", table.own);
  CHECK(environment.given(table.own).at("word").values == Values{"its"});
  CHECK(environment.strangers() ==
        Values{"environment variable BROOD_ECHO_COLOUR is no setting of this server"});
}

TEST_CASE("settings leave the environment of a child, and nothing else does") {
  const Table table;
  const EnvironmentVariables variables{{"ECHO_WORD", "a"},         {"BROOD_A_NUMBER", "2"},
                                       {"BROOD_IM_AP_ROOTS", "x"}, {"ECHO_HOME", "/"},
                                       {"BROOD_SERVICE", "a"},     {"BROOD_COLOUR", "red"}};
  const SettingsEnvironment environment("echo", table.all);
  environment.leave();
  for (const char* gone : {"ECHO_WORD", "BROOD_A_NUMBER", "BROOD_IM_AP_ROOTS"})
    CHECK(std::getenv(gone) == nullptr);
  for (const char* there : {"ECHO_HOME", "BROOD_SERVICE", "BROOD_COLOUR"})
    CHECK(std::getenv(there) != nullptr);
  // The settings themselves are still known.
  CHECK(environment.given(table.all).size() == 3);
}
