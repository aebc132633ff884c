// SPDX-License-Identifier: MIT
// Children with room for many connections: what waits, and spares that do not take it.
#include <doctest/doctest.h>

#include "policy_pool.hpp"

using namespace std::chrono_literals;
using namespace brood;
using namespace brood::test;

namespace {

// One child with an event loop that has room for 1,000 connections, while one waits.
struct LoopPool : LookedAtPool {
  LoopPool() {
    limits = {.start_servers = 1, .min_spare_servers = 1, .max_spare_servers = 3, .max_clients = 3};
    census = {.total = 1, .idle = 1, .backlog = 1, .room = 1000, .taken = 7};
  }
};

}  // namespace

TEST_CASE("a spare with room has a second to take what waits") {
  LoopPool pool;
  Plan plan = pool.look(now);
  CHECK(plan.spawn == 0);
  CHECK(plan.look_again == now + 1s);
  SUBCASE("it takes it") {
    pool.census.backlog = 0;
    ++pool.census.taken;
    plan = pool.look(now + 1s);
    CHECK(plan.spawn == 0);
    CHECK(plan.look_again == never);
  }
  SUBCASE("it takes it, and another one waits") {
    ++pool.census.taken;
    plan = pool.look(now + 1s);
    CHECK(plan.spawn == 0);
    CHECK(plan.look_again == now + 2s);
  }
  SUBCASE("it takes nothing: others are started, one after the other") {
    CHECK(pool.look(now + 500ms).spawn == 0);
    plan = pool.look(now + 1s);
    CHECK(plan.spawn == 1);
    CHECK(plan.look_again == now + 2s);
    pool.census.total = 2;
    pool.census.starting = 1;
    CHECK(pool.look(now + 5s).spawn == 0);
    pool.census.starting = 0;
    pool.census.idle = 2;
    CHECK(pool.look(now + 6s).spawn == 0);
    CHECK(pool.look(now + 7s).spawn == 1);  // it hangs as well
    pool.census.total = pool.census.idle = 3;
    plan = pool.look(now + 9s);
    CHECK(plan.spawn == 0);
    CHECK(plan.warn_max_clients);
    CHECK(plan.look_again == never);
  }
  SUBCASE("the throttle permits no start") {
    pool.pace.may_start = now + 4s;
    plan = pool.look(now + 1s);
    CHECK(plan.spawn == 0);
    CHECK(plan.look_again == now + 4s);
    CHECK(pool.look(now + 4s).spawn == 1);
  }
}

TEST_CASE("on demand a child with room takes what waits, however little that is") {
  LoopPool pool;
  pool.limits.start_servers = pool.limits.min_spare_servers = 0;
  pool.census = {.backlog = 1, .room = 1000};
  CHECK(pool.look(now).spawn == 1);
  pool.census.total = pool.census.starting = 1;
  CHECK(pool.look(now).spawn == 0);
}
