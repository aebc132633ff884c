// SPDX-License-Identifier: MIT
#include "load/arguments.hpp"

#include <doctest/doctest.h>

#include "load/load_target.hpp"

using namespace brood::load;

namespace {

using Words = std::vector<std::string>;

std::string complaint(const Words& words) {
  try {
    parse_arguments(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("a load without options is one client for ten seconds") {
  const auto plan = parse_arguments({"8000"}).plan;
  CHECK(plan.concurrency == 1);
  CHECK(plan.duration == std::chrono::seconds(10));
  CHECK(plan.payload == "hello\n");
  CHECK_FALSE(plan.expected_body);
}

TEST_CASE("a value may be the next word or follow '='") {
  const auto all =
      parse_arguments({"127.0.0.1:1", "--concurrency=7", "--requests", "9", "--show", "--keep-alive"});
  CHECK(all.plan.concurrency == 7);
  CHECK(all.plan.requests == 9);
  CHECK(all.plan.duration.count() == 0);
  CHECK(all.plan.keep_alive);
  CHECK(all.show);
  CHECK(parse_arguments({"1", "--payload="}).plan.payload == "\n");
  CHECK(parse_arguments({"1", "--request", R"(GET / HTTP/1.1\r\n\r\n\x41\\)"}).plan.payload ==
        "GET / HTTP/1.1\r\n\r\nA\\");
  CHECK(parse_arguments({"1", "--expect="}).plan.expected_body == "");
}

TEST_CASE("mistakes of the command line are named") {
  for (const auto& [words, part] : std::vector<std::pair<Words, std::string>>{
           {{}, "the address is missing"},
           {{"1", "2"}, "one address is enough"},
           {{"1", "--fast"}, "--fast: no such option"},
           {{"1", "--seconds"}, "--seconds needs a value"},
           {{"1", "--show=yes"}, "--show takes no value"},
           {{"1", "--concurrency=0"}, "not a number from 1 to 100000"},
           {{"1", "--concurrency=5x"}, "not a number"},
           {{"1", "--seconds=1e9"}, "not a number from 0.001 to 86400"},
           {{"1", "--keep-alive", "--connections=5"}, "not by --connections"},
           {{"1", "--payload=a", "--request=b"}, "only one of"},
           {{"1", "--http=x"}, "begins with /"},
           {{"1", "--request="}, "is empty"},
           {{"1", "--request=\\q"}, "a backslash begins one of"},
           {{"1", "--request=a\\"}, "a backslash begins one of"},
           {{"1", "--request=\\x4"}, "a backslash begins one of"},
           {{"1", "--answer=word"}, "none of line, http and any"},
           {{"1", "--http=/", "--answer=line"}, "whatever --answer says"},
           {{"1", "--expect-status=200"}, "needs --http"},
           {{"1", "--http=/", "--expect-status=99"}, "not a number from 100 to 599"},
           {{"1", "--answer=any", "--expect=x"}, "not with --answer any"},
           {{"192.0.2.1:80"}, "--remote permits it"},
           {{"0.0.0.0:80"}, "--remote permits it"},
           {{"[2001:db8::1]:80"}, "--remote permits it"},
           {{"example.org:80"}, "is none of IPV4:PORT"},
           {{"70000"}, "is none of IPV4:PORT"},
           {{"unix:"}, "path of a unix socket"},
       }) {
    CAPTURE(part);
    CHECK(complaint(words).find(part) != std::string::npos);
  }
}

TEST_CASE("this machine needs no --remote") {
  for (const std::string address : {"8000", "127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "unix:/tmp/x"})
    CHECK(complaint({address}) == "none");
  CHECK(complaint({"192.0.2.1:80", "--remote"}) == "none");
}

TEST_CASE("the help has each option, in lines that fit") {
  const std::string text = help(80);
  for (const std::string option : {"--concurrency N", "--expect TEXT", "--show", "--remote"})
    CHECK(text.find("  " + option) != std::string::npos);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    CHECK(end - at <= 80);
    at = end + 1;
  }
  CHECK(parse_arguments({"--help"}).help);
  CHECK(parse_arguments({"--version"}).version);
}
