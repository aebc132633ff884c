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
       8,
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
      decide({.total = 6, .idle = 6, .outdated_idle = 5, .replacements_starting = 1, .next_ready = now + 1s},
             limits, running(), now);
  CHECK(plan.look_again == now + 1s);
  CHECK(plan.retire_outdated == 0);
  CHECK(plan.spawn_replacements == 0);
}

TEST_CASE("recycling at max-clients: there is no room, so a few go first") {
  Limits small = limits;
  small.max_clients = 16;
  const unsigned budget = recycle_budget(16);
  CHECK(budget == 2);
  Plan plan =
      decide({.total = 16, .idle = 6, .outdated_idle = 6, .outdated_busy = 10}, small, running(), now);
  CHECK(plan.retire_outdated == budget);
  plan = decide(
      {.total = 16, .idle = 5, .leaving = 2, .leaving_idle = 2, .outdated_idle = 5, .outdated_busy = 9},
      small, running(), now);
  CHECK(plan.retire_outdated == 0);
  // Busy ones that were told to leave do so when their connections end: idle ones needn't wait for that.
  plan = decide({.total = 16, .idle = 5, .leaving = 2, .outdated_idle = 5, .outdated_busy = 9}, small,
                running(), now);
  CHECK(plan.retire_outdated == 2);
  plan = decide({.total = 16, .leaving = 2, .outdated_busy = 14}, small, running(), now);
  CHECK(plan.retire_outdated == 0);
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
