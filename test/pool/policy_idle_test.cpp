// SPDX-License-Identifier: MIT
// idle-timeout: spares that were not needed leave.
#include <doctest/doctest.h>

#include <algorithm>

#include "policy_pool.hpp"

using namespace std::chrono_literals;
using namespace brood;
using namespace brood::test;

TEST_CASE("with idle-timeout the parent is woken by the first spare that could be spared") {
  Limits timed = limits;
  timed.min_spare_servers = 2;
  timed.idle_timeout = 60s;
  CHECK(thresholds({}, timed, {.count = 0}).above == 2);
  const Plan counting{.pace = {.period_since = now}};
  CHECK(thresholds(counting, timed, {.count = 4}).above == 10);
  CHECK(thresholds({}, limits, {.count = 4}).above == 10);
}

namespace {

// A pool with an idle-timeout, looked at when decide() wants to.
struct TimedPool : LookedAtPool {
  Time time = now;

  TimedPool() {
    limits.min_spare_servers = 2;
    limits.idle_timeout = 60s;
  }
  Plan look(unsigned idle, unsigned fewest, Time at) {
    census.total = std::max(census.total, idle);
    census.idle = idle;
    census.fewest_idle = fewest;
    time = at;
    return LookedAtPool::look(at);
  }
};

}  // namespace

TEST_CASE("idle-timeout: spares that were not needed for that time leave, down to min-spare-servers") {
  TimedPool pool;
  Plan plan = pool.look(8, 0, now);  // until now all were needed
  CHECK(plan.count_fewest);
  CHECK(plan.retire_surplus == 0);
  CHECK(plan.look_again == now + 30s);
  plan = pool.look(8, 8, now + 30s);
  CHECK(plan.retire_surplus == 0);
  CHECK(plan.look_again == now + 60s);
  plan = pool.look(8, 8, now + 60s);
  CHECK(plan.retire_surplus == 6);
  CHECK(plan.look_again == never);
  CHECK(plan.pace.period_since == never);
}

TEST_CASE("idle-timeout: it counts how many were needed at once, whichever child was woken") {
  TimedPool pool;
  pool.look(8, 0, now);
  pool.look(7, 7, now + 30s);              // one at a time
  Plan plan = pool.look(8, 5, now + 60s);  // three at once for a moment
  CHECK(plan.retire_surplus == 3);
  CHECK(plan.look_again == now + 90s);
  plan = pool.look(5, 4, now + 90s);
  CHECK(plan.retire_surplus == 0);  // two were needed in the time before
  plan = pool.look(5, 4, now + 120s);
  CHECK(plan.retire_surplus == 2);
  CHECK(plan.look_again == now + 150s);  // the one that is needed now and then is looked at again
}

TEST_CASE("idle-timeout: looks in between don't lengthen the time, and see what was needed then") {
  TimedPool pool;
  pool.look(8, 0, now);
  CHECK(pool.look(4, 4, now + 10s).look_again == now + 30s);
  pool.look(8, 8, now + 30s);
  const Plan plan = pool.look(8, 8, now + 60s);
  CHECK(plan.retire_surplus == 2);
}

TEST_CASE("idle-timeout: no child leaves while connections wait, or with an open connection") {
  TimedPool pool;
  pool.look(8, 0, now);
  pool.look(8, 8, now + 30s);
  pool.census.backlog = 1;
  const Plan waits = pool.look(8, 8, now + 60s);
  CHECK(waits.retire_surplus == 0);
  CHECK(waits.look_again > now + 60s);
  CHECK(waits.look_again < now + 61s);
  pool.census.backlog = 0;
  pool.census.idle_connected = 7;
  CHECK(pool.look(8, 8, now + 61s).retire_surplus == 1);
}

TEST_CASE("idle-timeout: a connection that waits needs one spare, and not all of them") {
  TimedPool pool;
  pool.look(8, 0, now);
  pool.census.backlog = 1;
  pool.look(8, 8, now + 10s);
  pool.census.backlog = 0;
  pool.look(8, 8, now + 30s);
  CHECK(pool.look(8, 8, now + 60s).retire_surplus == 5);
}

TEST_CASE("idle-timeout: with no spare too many there is nothing to look at") {
  TimedPool pool;
  CHECK(pool.look(2, 0, now).look_again == never);
  pool.look(8, 0, now + 1s);
  CHECK(pool.look(2, 2, now + 10s).look_again == never);
  CHECK(pool.look(8, 2, now + 20s).look_again == now + 50s);  // the time begins again
}
