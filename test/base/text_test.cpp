// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using brood::text;

TEST_CASE("values are joined into a message") {
  CHECK(text("child ", 17, " left after ", 1500ms, '.') == "child 17 left after 1.5s.");
  CHECK(text(-1, ' ', UINT64_MAX) == "-1 18446744073709551615");
}

TEST_CASE("durations read as people write them") {
  struct {
    std::chrono::nanoseconds duration;
    const char* expected;
  } const rows[] = {{0ns, "0"},     {1ns, "1ns"},       {999us, "999us"}, {250ms, "250ms"},
                    {1s, "1s"},     {90s, "90s"},       {120s, "2m"},     {3600s, "1h"},
                    {5400s, "90m"}, {1234ms, "1.234s"}, {86400s, "24h"},  {60s, "1m"}};
  for (const auto& row : rows) CHECK(text(row.duration) == row.expected);
}

TEST_CASE("what could forge a log line is escaped") {
  CHECK(brood::escape("GET /\r\nfake") == "GET /\\x0d\\x0afake");
  CHECK(brood::escape(std::string_view("a\0b\x1b[31m", 8)) == "a\\x00b\\x1b[31m");
  CHECK(brood::escape("caf\xc3\xa9") == "caf\xc3\xa9");
}

TEST_CASE("a word that is nearly right is found, one that is not isn't") {
  const std::vector<std::string> known = {"min-spare-servers", "max-spare-servers", "max-clients", "listen"};
  CHECK(brood::nearest("min-spare-server", known) == "min-spare-servers");
  CHECK(brood::nearest("maxclients", known) == "max-clients");
  CHECK(brood::nearest("lisen", known) == "listen");
  CHECK(brood::nearest("colour", known).empty());
}

TEST_CASE("pieces are trimmed and split") {
  CHECK(brood::trim(" \t a b\r") == "a b");
  CHECK(brood::trim("   ").empty());
  CHECK(brood::split("a,,b", ',').size() == 3);
  CHECK(brood::split("", ',').size() == 1);
}
