// SPDX-License-Identifier: MIT
// How many children are started and retired for the load, and when the parent looks again.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "policy_pool.hpp"

using namespace std::chrono_literals;
using namespace brood;
using namespace brood::test;

TEST_CASE("growing: the deficit and what waits, at once") {
  struct {
    const char* what;
    Census census;
    bool started;
    unsigned spawn;
    bool at_max;
  } const rows[] = {
      {"the first look starts start-servers", {}, false, 5, false},
      {"enough spares: nothing", {.total = 5, .idle = 5}, true, 0, false},
      {"one spare missing", {.total = 5, .idle = 4}, true, 1, false},
      {"those that start are future spares", {.total = 9, .starting = 4, .idle = 1}, true, 0, false},
      {"what waits needs children too", {.total = 5, .idle = 0, .backlog = 10}, true, 15, false},
      {"in batches", {.total = 5, .idle = 0, .backlog = 60}, true, 32, false},
      {"divided by the room that a child has",
       {.total = 5, .idle = 0, .backlog = 10, .room = 4},
       true,
       7,
       false},
      {"one that fills a child needs another spare",
       {.total = 5, .idle = 5, .backlog = 4, .room = 4},
       true,
       1,
       false},
      {"what waits where spares have room needs none",
       {.total = 5, .idle = 5, .backlog = 400, .room = 1000},
       true,
       0,
       false},
      {"never beyond max-clients", {.total = 98, .idle = 0, .backlog = 20}, true, 2, true},
      {"at max-clients: none", {.total = 100, .idle = 4}, true, 0, true},
      {"those that leave count against max-clients", {.total = 100, .idle = 3, .leaving = 50}, true, 0, true},
      {"beyond max-clients (it was lowered): none", {.total = 120, .idle = 0}, true, 0, true},
      {"at max-clients with spares enough: all is well", {.total = 100, .idle = 5}, true, 0, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Pace pace = running();
    pace.started = row.started;
    const Plan plan = decide(row.census, limits, pace, now);
    CHECK(plan.spawn == row.spawn);
    CHECK(plan.at_max_clients == row.at_max);
    CHECK(plan.retire_surplus == 0);
    CHECK(plan.retire_outdated == 0);
  }
}

TEST_CASE("a deficit larger than a batch is looked at again at once") {
  const Plan plan = decide({.total = 5, .backlog = 80}, limits, running(), now);
  CHECK(plan.spawn == spawn_batch);
  CHECK(plan.look_again == now);
}

TEST_CASE("start-servers beyond min-spare-servers, and beyond a batch") {
  Limits many = limits;
  many.start_servers = 50;
  Plan plan = decide({}, many, {}, now);
  CHECK(plan.spawn == 32);
  plan = decide({.total = 32, .starting = 32}, many, plan.pace, now);
  CHECK(plan.spawn == 18);
  plan = decide({.total = 50, .idle = 10}, many, plan.pace, now);
  CHECK(plan.spawn == 0);  // only once
}

TEST_CASE("an idle server has nothing to wait for") {
  CHECK(decide({.total = 5, .idle = 5}, limits, running(), now).look_again == never);
  CHECK(decide({.total = 10, .idle = 10}, limits, running(), now).look_again == never);
  CHECK(decide({.total = 100, .idle = 1}, limits, running(), now).look_again == never);
}

TEST_CASE("shrinking: only a surplus that lasts, a part at a time, never below max-spare-servers") {
  Plan plan = decide({.total = 50, .idle = 50}, limits, running(), now);
  CHECK(plan.retire_surplus == 0);
  CHECK(plan.look_again == now + 1s);
  unsigned idle = 50;
  Time time = now;
  int steps = 0;
  while (plan.look_again != never) {
    time = plan.look_again;
    plan = decide({.total = idle, .idle = idle}, limits, plan.pace, time);
    CHECK(plan.retire_surplus <= (idle - 10 + 3) / 4);
    idle -= plan.retire_surplus;
    REQUIRE(++steps < 100);
  }
  CHECK(idle == 10);
}

TEST_CASE("a surplus that is gone at the next look was none") {
  Plan plan = decide({.total = 20, .idle = 20}, limits, running(), now);
  plan = decide({.total = 20, .idle = 8}, limits, plan.pace, now + 500ms);
  CHECK(plan.look_again == never);
  plan = decide({.total = 20, .idle = 20}, limits, plan.pace, now + 1s);
  CHECK(plan.retire_surplus == 0);
  CHECK(plan.look_again == now + 2s);
}

TEST_CASE("nobody is retired while connections wait") {
  Pace pace = running();
  pace.surplus_since = now - 10s;
  CHECK(decide({.total = 50, .idle = 50, .backlog = 1}, limits, pace, now).retire_surplus == 0);
}

TEST_CASE("max-clients is warned of once, and again only after a while") {
  const Census full{.total = 100, .backlog = 1};
  const Census relaxed{.total = 100, .idle = 6};
  Plan plan = decide(full, limits, running(), now);
  CHECK(plan.warn_max_clients);
  plan = decide(full, limits, plan.pace, now + 5s);
  CHECK_FALSE(plan.warn_max_clients);
  plan = decide(relaxed, limits, plan.pace, now + 6s);
  plan = decide(full, limits, plan.pace, now + 7s);
  CHECK_FALSE(plan.warn_max_clients);  // the load stays near the limit
  plan = decide(relaxed, limits, plan.pace, now + 70s);
  plan = decide(full, limits, plan.pace, now + 80s);
  CHECK(plan.warn_max_clients);
}

TEST_CASE("spares that max-clients does not permit are no cause for a warning, connections that wait are") {
  Limits fixed = limits;
  fixed.max_spare_servers = 16;
  fixed.min_spare_servers = fixed.max_clients = 16;
  Plan plan = decide({.total = 16, .idle = 15}, fixed, running(), now);
  CHECK(plan.at_max_clients);
  CHECK_FALSE(plan.warn_max_clients);
  CHECK(plan.look_again == never);
  plan = decide({.total = 16}, fixed, plan.pace, now + 1s);  // the queue may fill without an event
  CHECK_FALSE(plan.warn_max_clients);
  CHECK(plan.look_again == now + 2s);
  plan = decide({.total = 16, .backlog = 3}, fixed, plan.pace, now + 2s);
  CHECK(plan.warn_max_clients);
  CHECK(plan.look_again == never);
}

TEST_CASE("connections that spares are about to take are no cause for a warning of max-clients") {
  Limits one = limits;
  one.start_servers = one.min_spare_servers = one.max_clients = 1;
  CHECK_FALSE(decide({.total = 1, .idle = 1, .backlog = 1}, one, running(), now).warn_max_clients);
  CHECK(decide({.total = 1, .idle = 1, .backlog = 2}, one, running(), now).warn_max_clients);
  CHECK_FALSE(decide({.total = 1, .idle = 1, .backlog = 8, .room = 8}, one, running(), now).warn_max_clients);
  CHECK(decide({.total = 1, .idle = 1, .backlog = 9, .room = 8}, one, running(), now).warn_max_clients);
}

TEST_CASE("the parent is woken for what it could act on, and for nothing else") {
  constexpr unsigned everything = std::numeric_limits<unsigned>::max();
  struct {
    const char* what;
    Plan plan;
    Spares spares;
    unsigned below, above;
  } const rows[] = {
      {"usually: beyond the spare limits", {}, {.count = 7}, 5, 10},
      {"throttled: it looks by itself when the time has come", {}, {.count = 2, .delayed = true}, 0, 10},
      {"a surplus is being watched", {.pace = {.surplus_since = now}}, {.count = 12}, 5, everything},
      {"at max-clients: the last spare's going", {.at_max_clients = true}, {.count = 3}, 1, 10},
      {"at max-clients with none: nothing", {.at_max_clients = true}, {}, 0, 10},
      {"connection-timeout needs the first busy one",
       {},
       {.count = 7, .wake_when_busy = true},
       everything,
       10},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Thresholds wanted = thresholds(row.plan, limits, row.spares);
    CHECK(wanted.below == row.below);
    CHECK(wanted.above == row.above);
  }
}

TEST_CASE("on demand: without a spare the parent watches the listeners, and starts what waits") {
  Limits demand = limits;
  demand.start_servers = demand.min_spare_servers = 0;
  demand.max_clients = 3;
  struct {
    const char* what;
    Census census;
    unsigned spawn;
    bool watch, at_max;
  } const rows[] = {
      {"nobody there: watch", {}, 0, true, false},
      {"something waits: start as many", {.backlog = 2}, 2, false, false},
      {"one starts: it will take what comes", {.total = 1, .starting = 1}, 0, false, false},
      {"an idle one will", {.total = 2, .idle = 1}, 0, false, false},
      {"all busy: watch", {.total = 2}, 0, true, false},
      {"all busy at max-clients: nothing could be started", {.total = 3}, 0, false, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Plan plan = decide(row.census, demand, running(), now);
    CHECK(plan.spawn == row.spawn);
    CHECK(plan.watch_listeners == row.watch);
    CHECK(plan.at_max_clients == row.at_max);
  }
  CHECK(decide({}, demand, running(), now).look_again == never);
  Pace throttled = running();
  throttled.may_start = now + 4s;
  const Plan plan = decide({}, demand, throttled, now);
  CHECK_FALSE(plan.watch_listeners);  // it may start no child for what arrives
  CHECK(plan.look_again == now + 4s);

  CHECK(thresholds({}, demand, {.count = 1}).below == 1);  // wake if the last spare becomes busy
  CHECK(thresholds({}, demand, {.count = 0}).below == 0);
  CHECK(thresholds({.watch_listeners = true}, demand, {}).above == 0);  // and if the first one becomes idle
}

TEST_CASE("a child with open connections is no surplus") {
  const Plan first = decide({.total = 20, .idle = 20, .idle_connected = 18}, limits, running(), now);
  const Plan plan =
      decide({.total = 20, .idle = 20, .idle_connected = 18}, limits, first.pace, now + surplus_delay);
  CHECK(plan.retire_surplus == 1);  // a quarter of the two
  CHECK(decide({.total = 20, .idle = 20, .idle_connected = 20}, limits, running(), now).look_again == never);
}

TEST_CASE("throttled: nothing is started before its time, then one at a time") {
  Pace pace = running();
  pace.may_start = now + 4s;
  pace.one_at_a_time = true;
  Plan plan = decide({}, limits, pace, now);
  CHECK(plan.spawn == 0);
  CHECK(plan.look_again == now + 4s);
  plan = decide({}, limits, pace, now + 4s);
  CHECK(plan.spawn == 1);
}

TEST_CASE("a child with open connections and room for more is a spare, but no surplus") {
  struct {
    const char* what;
    Census census;
    unsigned spawn, retire;
  } const rows[] = {
      {"those with open connections and room for more are spares",
       {.total = 5, .idle = 5, .idle_connected = 5},
       0,
       0},
      {"however many: nobody is sent away", {.total = 50, .idle = 50, .idle_connected = 50}, 0, 0},
      {"of those without open connections, a quarter", {.total = 50, .idle = 50, .idle_connected = 42}, 0, 2},
      {"never more than what is beyond max-spare-servers",
       {.total = 12, .idle = 12, .idle_connected = 2},
       0,
       1},
      {"full ones are none", {.total = 50, .idle = 4, .idle_connected = 4}, 1, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Pace pace = running();
    pace.surplus_since = now - 10s;
    const Plan plan = decide(row.census, limits, pace, now);
    CHECK(plan.spawn == row.spawn);
    CHECK(plan.retire_surplus == row.retire);
  }
  // Without a surplus there is nothing to wait for.
  CHECK(decide({.total = 50, .idle = 50, .idle_connected = 50}, limits, running(), now).look_again == never);
}

// The same code in a small simulation: children start and finish, load comes and goes.
TEST_CASE("a simulated pool follows its load and never breaks its limits") {
  Pace pace;
  Census census;
  Time time = now;
  unsigned most = 0;
  for (int step = 0; step < 2000; ++step, time += 100ms) {
    const unsigned load = step % 400 < 200 ? static_cast<unsigned>(step % 200) / 2 : 0;
    const unsigned all_ready = census.idle + census.starting;
    census.starting = 0;
    const unsigned ready = std::max(all_ready, 0U) + (census.total - all_ready);
    const unsigned busy = std::min(load, ready);
    census = {.total = ready, .idle = ready - busy, .backlog = load - busy};
    const Plan plan = decide(census, limits, pace, time);
    pace = plan.pace;
    REQUIRE(plan.retire_surplus <= census.idle);
    if (plan.retire_surplus > 0) REQUIRE(census.idle - plan.retire_surplus >= limits.max_spare_servers);
    census.total += plan.spawn;
    census.starting = plan.spawn;
    census.total -= plan.retire_surplus;
    census.idle -= plan.retire_surplus;
    REQUIRE(census.total <= limits.max_clients);
    most = std::max(most, census.total);
  }
  CHECK(most == limits.max_clients);
  CHECK(census.total <= limits.max_spare_servers);
}
