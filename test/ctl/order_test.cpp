// SPDX-License-Identifier: MIT
// broodctl's orders: the request for a command line, and the sentences and the JSON for an answer.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "brood/error.hpp"
#include "invocation.hpp"
#include "locate.hpp"
#include "order.hpp"
#include "scoreboard/report/json.hpp"
#include "scoreboard/report/words.hpp"
#include "sentences.hpp"

using namespace brood;
using namespace brood::ctl;

namespace {

std::string request(const std::vector<std::string>& words) {
  const auto record = request_of(parse_invocation(words));
  return record ? record->line() : "none";
}

std::vector<WireRecord> answer(std::initializer_list<const char*> lines) {
  std::vector<WireRecord> records;
  for (const char* line : lines) records.push_back(WireRecord::parse(line));
  return records;
}

constexpr const char* imap =
    "service name=imap state=running generation=4 children=16 before=16 gone=16 milliseconds=412 "
    "connections=18204 lost=0";

}  // namespace

TEST_CASE("options may be anywhere, but not behind --") {
  const Invocation invocation = parse_invocation(
      {"--server=imap", "scale", "--json", "--runtime-directory", "/run/x", "imap", "--", "--max-clients=5"});
  CHECK(invocation.command == "scale");
  CHECK(invocation.arguments == std::vector<std::string>{"imap", "--max-clients=5"});
  CHECK(invocation.server == "imap");
  CHECK(invocation.runtime_directory == "/run/x");
  CHECK(invocation.json);
  for (const char* wrong : {"--jason", "--server", "-x"})
    CHECK_THROWS_AS(parse_invocation({"list", wrong}), Failure);
}

TEST_CASE("each order is a request of one line") {
  CHECK(request({"reload"}) == "reload");
  CHECK(request({"reload", "imap"}) == "reload service=imap");
  CHECK(request({"stop", "--now"}) == "stop now=1");
  CHECK(request({"stop", "a b"}) == "stop service=a%20b");
  CHECK(request({"scale", "imap", "max-clients=5", "idle-timeout=1m=x"}) ==
        "scale service=imap max-clients=5 idle-timeout=1m%3Dx");
  CHECK(request({"retire", "4711"}) == "retire pid=4711");
  CHECK(request({"signal", "imap", "HUP"}) == "signal service=imap signal=HUP");
  CHECK(request({"status"}) == "none");
}

TEST_CASE("an order with too few or too many arguments is refused") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"start"},
                                             {"pause"},
                                             {"start", "a", "b"},
                                             {"reload", "a", "b"},
                                             {"reload", ""},
                                             {"scale", "a"},
                                             {"scale", "a", "b"},
                                             {"scale", "a", "service=b"},
                                             {"retire"},
                                             {"signal", "a"},
                                             {"check", "a"},
                                             {"stop", "--now", "a"},
                                             {"reload", "--now"}}) {
    try {
      request(words);
      FAIL(words.front());
    } catch (const Failure& failure) {
      CHECK(failure.exit_code() == outcome::wrong_usage);
    }
  }
}

TEST_CASE("an answer is printed in sentences") {
  const auto well = answer({imap, "done code=0 message="});
  CHECK(sentences("reload", well) ==
        "imap: generation 4, 16 of 16 children replaced in 412ms, 18,204 connections, 0 lost\n");
  CHECK(sentences("stop", well).starts_with("imap: running, 16 of 16 children left in 412ms, 18,204 conn"));
  CHECK(sentences("start", well) == "imap: running, 16 children in 412ms, generation 4\n");
  CHECK(sentences("retire", answer({"child pid=5 service=imap milliseconds=60", "done code=0 message="})) ==
        "child 5 of imap has left after 60ms\n");
  CHECK(sentences("scale", answer({"setting name=a from=1 to=2", "done code=0 message="})) ==
        "a = 2, it was 1\nuntil the next reload\n");
  CHECK(sentences("check", answer({"done code=0 message="})) == "settings: no mistakes found\n");
  CHECK(sentences("check", answer({"mistake text=x.conf:1:%20%1B[31mbad", "done code=78 message=refused"})) ==
        "x.conf:1: \\x1b[31mbad\nbroodctl: refused\n");
  CHECK(sentences("reload", answer({"waits text=x.conf:1:%20a%20has%20changed", "gone service=pop",
                                    "done code=0 message="})) ==
        "x.conf:1: a has changed\npop: ended; it is no service any more\n");
  const std::string fresh =
      "service name=imap state=running generation=1 children=2 before=0 gone=0 milliseconds=5 connections=0 "
      "lost=0";
  CHECK(sentences("reload", answer({fresh.c_str(), "done code=0 message="})) ==
        "imap: running, 2 children in 5ms, generation 1\n");
  const std::string silent =
      "service name=web state=stopped generation=2 children=0 before=2 gone=2 milliseconds=5 lost=";
  CHECK(sentences("stop", answer({(silent + "0").c_str(), "done code=0 message="})) ==
        "web: stopped, 2 of 2 children left in 5ms, its connections are not reported\n");
  CHECK(sentences("stop", answer({(silent + "3").c_str(), "done code=0 message="})) ==
        "web: stopped, 2 of 2 children left in 5ms, 3 lost in the queue; its connections are not reported\n");
  CHECK(sentences("new", answer({"thing of=tomorrow", "done code=0 message="})) == "thing of=tomorrow\n");
  CHECK_THROWS_AS(sentences("reload", answer({"service name=imap", "done code=0 message="})), Error);
}

TEST_CASE("of a reload the services that have not changed are in one line") {
  const auto service = [](const std::string& name, const std::string& more) {
    return "service name=" + name + " generation=4 children=3 " + more;
  };
  const std::string as_before = " connections=1000 lost=0 changed=";
  const std::string a = service("a", "state=running before=3 gone=3 milliseconds=40" + as_before),
                    b = service("b", "state=running before=2 gone=2 milliseconds=1500" + as_before),
                    none = service("none", "state=running before=0 gone=0 milliseconds=1" + as_before);
  const std::string others[] = {
      service("changed",
              "state=running before=3 gone=3 milliseconds=4 connections=1 lost=0 "
              "changed=listen,%20user"),
      service("lossy", "state=running before=3 gone=3 milliseconds=4 connections=1 lost=1 changed="),
      service("failing", "state=running before=3 gone=1 milliseconds=4 connections=1 lost=0 changed="),
      service("paused", "state=paused before=0 gone=0 milliseconds=4 connections=0 lost=0 changed="),
      service("of-an-older-server", "state=running before=3 gone=3 milliseconds=4 connections=1 lost=0")};
  std::vector<WireRecord> all;
  for (const auto& line : {a, others[0], b, others[1], others[2], none, others[3], others[4]})
    all.push_back(WireRecord::parse(line));
  all.push_back(WireRecord::parse("gone service=pop"));
  all.push_back(WireRecord::parse("done code=0 message="));
  CHECK(sentences("reload", all) ==
        "changed: generation 4, 3 of 3 children replaced in 4ms, 1 connection, 0 lost\n"
        "lossy: generation 4, 3 of 3 children replaced in 4ms, 1 connection, 1 lost\n"
        "failing: generation 4, 1 of 3 children replaced in 4ms, 1 connection, 0 lost\n"
        "paused: paused, generation 4, 0 of 0 children replaced in 4ms, 0 connections, 0 lost\n"
        "of-an-older-server: generation 4, 3 of 3 children replaced in 4ms, 1 connection, 0 lost\n"
        "pop: ended; it is no service any more\n"
        "3 services without a change: 5 of 5 children replaced in 1.5s, 3,000 connections, 0 lost\n");
  const std::string silent =
      service("silent", "state=running before=2 gone=2 milliseconds=5 lost=0 changed=");
  CHECK(
      sentences("reload", answer({a.c_str(), silent.c_str(), "done code=0 message="})) ==
      "2 services without a change: 5 of 5 children replaced in 40ms, 1,000 connections, 0 lost; those of 1 "
      "service are not reported\n");
  // One alone has its name.
  CHECK(sentences("reload", answer({a.c_str(), others[0].c_str(), "done code=78 message=refused"})) ==
        "changed: generation 4, 3 of 3 children replaced in 4ms, 1 connection, 0 lost\n"
        "a: generation 4, 3 of 3 children replaced in 40ms, 1,000 connections, 0 lost\n"
        "broodctl: refused\n");
}

TEST_CASE("an answer in JSON has numbers for figures") {
  const auto json =
      nlohmann::json::parse(to_json("reload", answer({imap, "done code=71 message=no%20luck"})));
  CHECK(json["order"] == "reload");
  CHECK(json["code"] == 71);
  CHECK(json["message"] == "no luck");
  CHECK(json["answer"][0]["kind"] == "service");
  CHECK(json["answer"][0]["connections"] == 18204);
  CHECK(nlohmann::json::parse(to_json("signal", answer({"signal service=7 name=9 children=2",
                                                        "done code=0 message="})))["answer"][0]["service"] ==
        "7");
}

TEST_CASE("figures are grouped") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(18204) == "18,204");
  CHECK(grouped(1234567) == "1,234,567");
}
