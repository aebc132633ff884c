// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include "base/text/duration.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using brood::text;

TEST_CASE("values are joined into a message") {
  CHECK(text("child ", 17, " left after ", 1500ms, '.') == "child 17 left after 1.5s.");
  CHECK(text(-1, ' ', UINT64_MAX) == "-1 18446744073709551615");
}

TEST_CASE("durations are printed for people") {
  struct {
    std::chrono::nanoseconds duration;
    const char* expected;
  } const rows[] = {{0ns, "0"},          {-5s, "0"},       {1ns, "1ns"},
                    {999us, "999us"},    {250ms, "250ms"}, {999'499us, "999ms"},
                    {999'500us, "1s"},   {1s, "1s"},       {1234ms, "1.23s"},
                    {59'949ms, "59.9s"}, {59'950ms, "1m"}, {60s, "1m"},
                    {61s, "1m01s"},      {90s, "1m30s"},   {120s, "2m"},
                    {3600s, "1h"},       {3661s, "1h01m"}, {5400s, "1h30m"},
                    {86'399s, "23h59m"}, {86'400s, "1d"},  {24h * 999 + 23h, "999d23h"}};
  for (const auto& row : rows) {
    CHECK(text(row.duration) == row.expected);
    CHECK(text(row.duration).size() <= 7);
  }
}

TEST_CASE("a duration that is written is read as the same") {
  struct {
    std::chrono::milliseconds duration;
    const char* expected;
  } const rows[] = {{0ms, "0"},   {1ms, "1ms"},   {1500ms, "1500ms"}, {30s, "30s"}, {90s, "90s"},
                    {120s, "2m"}, {90min, "90m"}, {24h, "1d"},        {720h, "30d"}};
  for (const auto& row : rows) {
    CHECK(brood::write_duration(row.duration) == row.expected);
    CHECK(brood::parse_duration(row.expected, 0ms, 720h) == row.duration);
  }
}

TEST_CASE("parts are joined with a separator, empty ones too") {
  CHECK(brood::join({"a", "", "b"}, ", ") == "a, , b");
  CHECK(brood::join({}).empty());
}

TEST_CASE("control characters are escaped") {
  CHECK(brood::escape("GET /\r\nfake") == "GET /\\x0d\\x0afake");
  CHECK(brood::escape(std::string_view("a\0b\x1b[31m", 8)) == "a\\x00b\\x1b[31m");
  CHECK(brood::escape("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(brood::escape("\x1b\xc3\xa9", brood::Keep::ascii) == "\\x1b\\xc3\\xa9");
}

TEST_CASE("a similar word is found, and another one is not") {
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
