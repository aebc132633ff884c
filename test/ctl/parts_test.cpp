// SPDX-License-Identifier: MIT
// The parts of broodctl: the verdict, the page, JSON, and how figures are printed.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ctl/explain/explain.hpp"
#include "report.hpp"
#include "scoreboard/report/json.hpp"
#include "scoreboard/report/verdict.hpp"
#include "scoreboard/report/words.hpp"
#include "table.hpp"

using namespace brood;
using namespace brood::ctl;
using namespace std::chrono_literals;

namespace {

SlotSnapshot busy_slot() {
  SlotSnapshot slot;
  slot.state = SlotState::busy;
  slot.pid = 4711;
  slot.incarnation = 2;
  slot.generation = 3;
  slot.age = 90s;
  slot.open_connections = 1;
  slot.busy_for = 1500ms;
  slot.peer = "127.0.0.1:40000";
  slot.figures.accepted = 1;
  return slot;
}

// Two slots, one busy child. Nothing is wrong.
Snapshot healthy() {
  ServiceSnapshot service;
  service.name = "echo";
  service.listeners = "127.0.0.1:8000";
  service.max_clients = 4;
  service.busy = service.empty = service.open_connections = 1;
  service.children_started = 1;
  service.slots = {busy_slot(), SlotSnapshot{.index = 1}};
  service.total.accepted = 1;
  Snapshot snapshot;
  snapshot.name = "echo";
  snapshot.parent_pid = 4710;
  snapshot.parent_alive = true;
  snapshot.parent_state = 'S';
  snapshot.age = 2h;
  snapshot.services = {service};
  return snapshot;
}

std::string report_of(const Snapshot& snapshot, std::size_t width = 80) {
  return report(snapshot, judge(snapshot), width);
}

nlohmann::json json_of(const Snapshot& snapshot) {
  return nlohmann::json::parse(to_json(snapshot, judge(snapshot), "/run/brood/echo.scoreboard"));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("bytes, latencies and counts read well") {
  CHECK(bytes(0) == "0 B");
  CHECK(bytes(1023) == "1023 B");
  CHECK(bytes(1536) == "1.5 KiB");
  CHECK(bytes(UINT64_MAX) == "16384.0 PiB");
  CHECK(upper_end(1us) == "under 1us");
  CHECK(upper_end(512us) == "under 512us");
  CHECK(upper_end(1024us) == "under 1.02ms");
  CHECK(upper_end(std::chrono::microseconds(1 << 21)) == "under 2.1s");
  CHECK(upper_end(std::chrono::microseconds(1LL << 39)) == "over 3 days");
  CHECK(count_of(1, "child") == "1 child");
  CHECK(count_of(2, "child") == "2 children");
}

TEST_CASE("text of other processes cannot move the cursor") {
  CHECK(harmless("GET /x") == "GET /x");
  CHECK(harmless("\x1b[2J\n\x7f\xc2\x9b") == "\\x1b[2J\\x0a\\x7f\\xc2\\x9b");
}

TEST_CASE("a table is aligned, leaves out empty columns, and is cut at the edge") {
  Table table({{"PID", Align::right}, {"FLAGS"}, {"NOTE"}});
  table.row({"1", "", "short"});
  table.row({"12345", "", "a longer note"});
  CHECK(table.print(80) == "  PID  NOTE\n    1  short\n12345  a longer note\n");
  CHECK(table.print(10) == "  PID  NOT\n    1  sho\n12345  a l\n");
}

TEST_CASE("each problem has a sentence and a level") {
  struct Case {
    const char* says;
    Level level;
    std::function<void(Snapshot&)> change;
  };
  const Case cases[] = {
      {"", Level::ok, [](Snapshot&) {}},
      {"is gone", Level::critical, [](Snapshot& s) { s.parent_alive = false; }},
      {"is stopped", Level::critical, [](Snapshot& s) { s.parent_state = 'T'; }},
      {"debugger", Level::critical, [](Snapshot& s) { s.parent_state = 't'; }},
      {"stopping", Level::warning, [](Snapshot& s) { s.stopping = true; }},
      {"draining", Level::warning, [](Snapshot& s) { s.draining = true; }},
      {"max-clients = 4", Level::warning, [](Snapshot& s) { s.services[0].at_max_clients = true; }},
      {"next start is in 2s", Level::warning, [](Snapshot& s) { s.services[0].throttled_for = 2s; }},
      {"1 child stopped", Level::warning, [](Snapshot& s) { s.services[0].stopped = 1; }},
      {"2 children lost", Level::warning, [](Snapshot& s) { s.services[0].lost = 2; }},
      {"do not add up", Level::warning, [](Snapshot& s) { s.services[0].idle = 1; }},
      {"do not add up", Level::warning, [](Snapshot& s) { s.services[0].total.finished = 1; }},
      {"", Level::ok,
       [](Snapshot& s) {  // a row that is torn may disagree
         s.services[0].total.finished = 1;
         s.services[0].slots[0].torn = true;
       }},
  };
  for (const auto& one : cases) {
    CAPTURE(one.says);
    Snapshot snapshot = healthy();
    one.change(snapshot);
    const Verdict verdict = judge(snapshot);
    CHECK(verdict.level == one.level);
    CHECK(verdict.problems.size() == (one.level == Level::ok ? 0 : 1));
    if (!verdict.problems.empty()) CHECK(has(verdict.problems[0].sentence(), one.says));
  }
}

TEST_CASE("a server is not ready for a reason") {
  const struct {
    const char* why;
    void (*change)(Snapshot&);
  } cases[] = {
      {"", [](Snapshot&) {}},
      {"", [](Snapshot& s) { s.services[0].at_max_clients = true; }},
      {"the parent is gone", [](Snapshot& s) { s.parent_alive = false; }},
      {"the parent is stopped", [](Snapshot& s) { s.parent_state = 'T'; }},
      {"the server is stopping", [](Snapshot& s) { s.stopping = true; }},
      {"the server is draining", [](Snapshot& s) { s.draining = true; }},
      {"there is no service", [](Snapshot& s) { s.services.clear(); }},
      {"service echo is paused", [](Snapshot& s) { s.services[0].state = ServiceState::paused; }},
      {"service echo is failed", [](Snapshot& s) { s.services[0].state = ServiceState::failed; }},
      {"service echo has no child that serves",
       [](Snapshot& s) {
         s.services[0].start_servers = 1;
         s.services[0].idle = s.services[0].busy = 0;
       }},
      {"",
       [](Snapshot& s) {  // children are started on demand
         s.services[0].start_servers = s.services[0].min_spare_servers = 0;
         s.services[0].idle = s.services[0].busy = 0;
       }},
  };
  for (const auto& one : cases) {
    Snapshot snapshot = healthy();
    one.change(snapshot);
    CHECK(readiness_of(snapshot).why == one.why);
  }
}

// What ends in a second, so many seconds ago.
struct Happened {
  std::size_t ago;
  SecondSnapshot second;
};

ServiceSnapshot after(const std::vector<Happened>& happened) {
  ServiceSnapshot service = healthy().services[0];
  service.history.resize(600);
  service.failed_warning = 10;
  service.failed_critical = 50;
  service.wait_warning = 1s;
  service.wait_critical = 10s;
  for (const auto& [ago, second] : happened) service.history[599 - ago] = second;
  return service;
}

Verdict verdict_on(const ServiceSnapshot& service) {
  Snapshot snapshot = healthy();
  snapshot.services = {service};
  return judge(snapshot);
}

TEST_CASE("the verdict is by what clients got lately") {
  std::vector<Happened> checks;
  for (std::size_t ago = 0; ago < 60; ++ago) checks.push_back({ago, {.finished = 1, .probes = 1}});
  const struct {
    std::string what;
    std::vector<Happened> happened;
    Level level;
    std::string says;
  } rows[] = {
      {"nothing", {}, Level::ok, ""},
      {"two crashes", {{3, {.aborted = 2}}}, Level::ok, ""},
      {"4 of 4 crashes",
       {{9, {.aborted = 3}}, {3, {.aborted = 1}}},
       Level::critical,
       "echo: 4 of 4 connections failed in the last 10m (4 ended with their child, 0 by an exception, 0 "
       "timed "
       "out); children end while they serve: see the log for what each was serving, and broodctl explain "
       "echo"},
      {"a minute of a balancer's checks", checks, Level::ok, ""},
      {"a few of many", {{5, {.finished = 1000, .failed = 4, .timed_out = 5, .aborted = 90}}}, Level::ok, ""},
      {"a tenth", {{5, {.finished = 90, .aborted = 10}}}, Level::warning, "10 of 100 connections failed"},
      {"half by exceptions", {{5, {.finished = 90, .failed = 45}}}, Level::critical, "end by an exception"},
      {"some time out", {{5, {.finished = 90, .timed_out = 20}}}, Level::warning, "raise the time limit"},
      {"all failed, before enough good ones", {{70, {.aborted = 50}}, {5, {.finished = 10}}}, Level::ok, ""},
      {"no connection but failed ones, nine minutes ago", {{550, {.aborted = 4}}}, Level::critical, ""},
      {"a long wait",
       {{5, {.finished = 90, .longest_wait = 1500ms, .most_busy = 3}}},
       Level::warning,
       "echo: a connection has waited for 1.5s in the last minute until a child took it; raise "
       "min-spare-servers"},
      {"a long wait while all were busy",
       {{5, {.finished = 90, .longest_wait = 10s, .most_busy = 4}}},
       Level::critical,
       "all 4 children that max-clients permits were busy"},
      {"a wait that is over", {{61, {.finished = 90, .longest_wait = 10s}}}, Level::ok, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Verdict verdict = verdict_on(after(row.happened));
    CHECK(verdict.level == row.level);
    REQUIRE(verdict.problems.size() == (row.level == Level::ok ? 0 : 1));
    if (!verdict.problems.empty()) CHECK(has(verdict.problems[0].sentence(), row.says));
  }
}

TEST_CASE("the thresholds of the verdict can be set, and 0 is never") {
  ServiceSnapshot service = after({{5, {.finished = 90, .aborted = 10, .longest_wait = 20s}}});
  service.failed_warning = service.failed_critical = 0;
  service.wait_warning = service.wait_critical = 0s;
  CHECK(verdict_on(service).level == Level::ok);
  service.failed_critical = 10;
  CHECK(verdict_on(service).level == Level::critical);
  service.failed_critical = 11;
  service.wait_critical = 21s;
  CHECK(verdict_on(service).level == Level::ok);
  service.wait_warning = 20s;
  CHECK(verdict_on(service).level == Level::warning);
}

TEST_CASE("each decision has a sentence with its numbers and its setting") {
  DecisionSnapshot seen{.count = 3,
                        .total = 9,
                        .starting = 1,
                        .idle = 2,
                        .busy = 6,
                        .outdated = 5,
                        .generation = 7,
                        .start_servers = 4,
                        .min_spare_servers = 5,
                        .max_spare_servers = 10,
                        .max_clients = 20};
  const auto says = [&](DecisionKind kind, const std::string& part) {
    seen.kind = kind;
    CAPTURE(sentence(seen));
    CHECK(has(sentence(seen), part));
  };
  says(DecisionKind::start_first, "started 3 children: start-servers = 4");
  says(DecisionKind::start,
       "started 3 children: 2 spare and 1 starting were fewer than min-spare-servers = 5");
  seen.waiting = 4;
  says(DecisionKind::start, "4 connections waited, and 2 spare and 1 starting were fewer");
  seen.word = "hang";
  says(DecisionKind::start, "4 connections waited for a second, and none of 2 spare took one");
  seen.word.clear();
  says(DecisionKind::at_max_clients, "4 connections waited: max-clients = 20 is reached");
  says(DecisionKind::replace, "5 were outdated");
  says(DecisionKind::surplus, "told 3 children to leave: 2 spare were more than max-spare-servers = 10");
  says(DecisionKind::idle, "min-spare-servers = 5 remain");
  says(DecisionKind::outdated, "told 3 children to leave: 5 were outdated");
  says(DecisionKind::reload, "before generation 7");
  says(DecisionKind::scale, "spare 5 to 10, max-clients = 20");
  seen.value = 4'000'000'000;
  says(DecisionKind::throttle, "for 4s");
  says(DecisionKind::fork_failed, "for 4s");
  seen.pid = 4711;
  seen.word = "connection-\x1b[timeout";
  says(DecisionKind::end, "ended child 4711: connection-");
  CHECK_FALSE(has(sentence(seen), "\x1b"));
  for (std::size_t kind = 1; kind < decision_names.size(); ++kind) {
    seen.kind = static_cast<DecisionKind>(kind);
    CHECK_FALSE(has(sentence(seen), "does not know"));
  }
}

TEST_CASE("if the parent is gone, no other problem is reported") {
  Snapshot snapshot = healthy();
  snapshot.parent_alive = false;
  snapshot.services[0].throttled_for = 2s;
  CHECK(judge(snapshot).problems.size() == 1);
}

TEST_CASE("the page begins with the verdict and has a row for each child") {
  const std::string page = report_of(healthy());
  CHECK(page.starts_with("OK: echo, parent 4710 running, up 2h\n"));
  CHECK(has(page, "SLOT   PID  STATE  GEN    AGE  CONNS  BUSY  PEER\n"));
  CHECK(has(page, "   0  4711  busy     3  1m30s      1  1.5s  127.0.0.1:40000\n"));
  CHECK(has(page, "none finished yet"));
}

TEST_CASE("each service has figures of its own for its lock") {
  Snapshot snapshot = healthy();
  snapshot.services.push_back(snapshot.services[0]);
  snapshot.services[1].name = "other";
  snapshot.services[1].recoveries = 2;
  snapshot.services[1].repairs = 5;
  const std::string page = report_of(snapshot);
  const auto other = page.find("service      other");
  REQUIRE(other != std::string::npos);
  CHECK(has(page.substr(0, other), "lock recoveries 0, fields repaired 0\n"));
  CHECK(has(page.substr(other), "lock recoveries 2, fields repaired 5\n"));
  const auto json = json_of(snapshot);
  CHECK(json["services"][0]["lock"] == nlohmann::json({{"recoveries", 0}, {"repairs", 0}}));
  CHECK(json["services"][1]["lock"] == nlohmann::json({{"recoveries", 2}, {"repairs", 5}}));
}

TEST_CASE("a hostile note stays in its row") {
  Snapshot snapshot = healthy();
  snapshot.services[0].slots[0].note = std::string(20, '\x9b') + "\n0 1 idle";
  const std::string page = report_of(snapshot);
  CHECK_FALSE(has(page, "\x9b"));
  CHECK_FALSE(has(page, "\n0 1 idle"));
  for (std::size_t from = 0, to = 0; (to = page.find('\n', from)) != std::string::npos; from = to + 1)
    CHECK(to - from <= 80);
}

TEST_CASE("JSON has the whole snapshot, in ASCII") {
  Snapshot snapshot = healthy();
  snapshot.services[0].slots[0].note = "caf\xc3\xa9 \xff \"quoted\"";
  snapshot.services[0].total.latency[10] = 7;
  snapshot.services[0].total.latency[latency_buckets - 1] = 1;
  const std::string text = to_json(snapshot, judge(snapshot), "/x/echo.scoreboard");
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c < '\x7f'); }));
  const auto json = nlohmann::json::parse(text);
  CHECK(json["name"] == "echo");
  CHECK(json["scoreboard"] == "/x/echo.scoreboard");
  CHECK(json["verdict"] == "ok");
  CHECK(json["parent"]["state"] == "S");
  CHECK(json["parent"]["age_seconds"] == 7200.0);
  const auto& service = json["services"][0];
  CHECK(service["slots"].size() == 2);
  CHECK(service["slots"][0]["busy_for_seconds"] == 1.5);
  CHECK(service["slots"][0]["note"] == "caf\xc3\xa9 \xef\xbf\xbd \"quoted\"");
  CHECK(service["slots"][1]["state"] == "empty");
  CHECK(service["total"]["latency"][0] == nlohmann::json({{"under_microseconds", 1024}, {"connections", 7}}));
  CHECK(service["total"]["latency"][1]["under_microseconds"].is_null());
  CHECK(service["total"]["latency_p50_under_microseconds"] == 1024);
  CHECK(service["total"]["latency_p99_under_microseconds"].is_null());
}

TEST_CASE("JSON of a server that is gone") {
  Snapshot snapshot = healthy();
  snapshot.parent_alive = false;
  snapshot.parent_state = '\0';
  const auto json = json_of(snapshot);
  CHECK(json["verdict"] == "critical");
  CHECK(json["problems"].size() == 1);
  CHECK(json["problems"][0]["level"] == "critical");
  CHECK(json["parent"]["state"] == "");
}
