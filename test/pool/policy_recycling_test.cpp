// SPDX-License-Identifier: MIT
// How outdated children are replaced: as many at a time as the pool can spare.
#include <doctest/doctest.h>

#include "policy_pool.hpp"

using namespace std::chrono_literals;
using namespace brood;
using namespace brood::test;

TEST_CASE("recycling: a replacement is ready before its predecessor leaves") {
  struct {
    const char* what;
    Census census;
    unsigned spawn_replacements, retire, replacements_done;
  } const rows[] = {
      {"one outdated: one replacement, nobody leaves yet",
       {.total = 5, .idle = 5, .outdated_idle = 1},
       1,
       0,
       0},
      {"all outdated: the budget, one of five", {.total = 5, .idle = 5, .outdated_idle = 5}, 1, 0, 0},
      {"the budget of a larger pool",
       {.total = 64, .idle = 10, .outdated_idle = 10, .outdated_busy = 54},
       6,
       0,
       0},
      {"while it starts: wait",
       {.total = 6, .starting = 1, .idle = 5, .outdated_idle = 5, .replacements_starting = 1},
       0,
       0,
       0},
      {"when it is ready: one goes, and the next one starts",
       {.total = 6, .idle = 6, .outdated_idle = 5, .replacements_ready = 1},
       1,
       1,
       1},
      {"ready, but of a generation that may still fail: wait",
       {.total = 6, .idle = 6, .outdated_idle = 5, .replacements_starting = 1, .unproven = 1},
       0,
       0,
       0},
      {"overtaken by a reload: it goes, and the next one starts",
       {.total = 6, .idle = 6, .outdated_idle = 6, .outdated_replacements = 1},
       1,
       1,
       0},
      {"the last one", {.total = 6, .idle = 6, .outdated_idle = 1, .replacements_ready = 1}, 0, 1, 1},
      {"a replacement whose predecessor went by itself is just a child",
       {.total = 6, .idle = 6, .replacements_ready = 1},
       0,
       0,
       1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Plan plan = decide(row.census, limits, running(), now);
    CHECK(plan.spawn == 0);
    CHECK(plan.spawn_replacements == row.spawn_replacements);
    CHECK(plan.retire_outdated == row.retire);
    CHECK(plan.replacements_done == row.replacements_done);
  }
}

TEST_CASE("a replacement that is still to show that it lives is looked at then, and lets nobody go before") {
  const Plan plan =
      decide({.total = 6, .idle = 6, .outdated_idle = 5, .replacements_starting = 1, .next_change = now + 1s},
             limits, running(), now);
  CHECK(plan.look_again == now + 1s);
  CHECK(plan.retire_outdated == 0);
  CHECK(plan.spawn_replacements == 0);
}

TEST_CASE(
    "recycling at max-clients: there is no room, so a tenth goes first, and then nobody until it is "
    "replaced") {
  Limits small = limits;
  small.max_clients = 20;
  struct {
    const char* what;
    Census census;
    unsigned spawn, spawn_replacements, retire;
  } const rows[] = {
      {"a tenth", {.total = 20, .idle = 6, .outdated_idle = 6, .outdated_busy = 14}, 0, 0, 2},
      {"busy ones, if all are", {.total = 20, .outdated_busy = 20}, 0, 0, 2},
      {"no more while they leave", {.total = 20, .idle = 6, .leaving = 2, .outdated_idle = 6}, 0, 0, 0},
      {"nor while one of them leaves", {.total = 20, .idle = 6, .leaving = 1, .outdated_idle = 6}, 0, 0, 0},
      {"their places are filled by replacements", {.total = 18, .idle = 6, .outdated_idle = 6}, 0, 1, 0},
      {"or for the load", {.total = 18, .idle = 3, .outdated_idle = 3}, 2, 0, 0},
      {"no more while those start, whatever for",
       {.total = 20, .starting = 2, .idle = 6, .outdated_idle = 6},
       0,
       0,
       0},
      {"or may still fail", {.total = 20, .idle = 6, .outdated_idle = 5, .unproven = 1}, 0, 0, 0},
      {"the next ones, when all can be counted on", {.total = 20, .idle = 6, .outdated_idle = 6}, 0, 0, 2},
      {"one that keeps its connection for long is not waited for",
       {.total = 20, .idle = 6, .leaving = 1, .leaving_long = 1, .outdated_idle = 6},
       0,
       0,
       2},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Plan plan = decide(row.census, small, running(), now);
    CHECK(plan.spawn == row.spawn);
    CHECK(plan.spawn_replacements == row.spawn_replacements);
    CHECK(plan.retire_outdated == row.retire);
  }
}

TEST_CASE("when nothing may be started, nobody is let go for a replacement") {
  Limits small = limits;
  small.max_clients = 16;
  Pace pace = running();
  pace.may_start = now + 8s;
  for (const Limits& each : {limits, small}) {
    const Plan plan = decide({.total = 16, .idle = 16, .outdated_idle = 16}, each, pace, now);
    CHECK(plan.retire_outdated == 0);
    CHECK(plan.spawn_replacements == 0);
    CHECK(plan.look_again <= now + 8s);
  }
}
