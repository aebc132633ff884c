// SPDX-License-Identifier: MIT
#include "pool/throttle.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using brood::Throttle;
using brood::Time;

namespace {

// A service that fails longer than it is replaced at once.
Throttle active_at(Time now) {
  Throttle throttle;
  for (unsigned i = 0; i <= brood::restarts_if_new; ++i) throttle.failed(now);
  return throttle;
}

}  // namespace

TEST_CASE("throttle: a few that fail are replaced at once, more if one of their generation worked") {
  const Time now{100s};
  for (const bool proven : {false, true}) {
    CAPTURE(proven);
    Throttle throttle;
    if (proven) throttle.proved();
    const unsigned budget = proven ? brood::restarts_if_proven : brood::restarts_if_new;
    for (unsigned i = 0; i < budget; ++i) {
      throttle.failed(now);
      CHECK_FALSE(throttle.active());
      CHECK_FALSE(throttle.trusts());
    }
    throttle.failed(now);
    CHECK(throttle.active());
  }
}

TEST_CASE("throttle: each start that fails then doubles the wait, up to a minute") {
  Time now{100s};
  Throttle throttle;
  for (unsigned i = 0; i < brood::restarts_if_new; ++i) throttle.failed(now);
  CHECK(throttle.may_start() <= now);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    throttle.failed(now);
    CHECK(throttle.active());
    CHECK(throttle.may_start() == now + wait);
    now = throttle.may_start();
    throttle.started(now);
    CHECK(throttle.may_start() > now);  // the next start waits for the outcome of this one
  }
}

TEST_CASE("throttle: children that die together are one failure") {
  const Time now{100s};
  Throttle throttle = active_at(now);
  for (int i = 0; i < 50; ++i) throttle.failed(now);
  CHECK(throttle.may_start() == now + 1s);
}

TEST_CASE("throttle: one that proves itself lifts it for all") {
  const Time now{100s};
  Throttle throttle = active_at(now);
  throttle.started(now + 1s);
  CHECK_FALSE(throttle.trusts());
  throttle.proved();
  CHECK_FALSE(throttle.active());
  CHECK(throttle.trusts());
  CHECK(throttle.may_start() == Time::min());
  for (unsigned i = 0; i < brood::restarts_if_proven; ++i) throttle.failed(now);
  CHECK_FALSE(throttle.active());
}

TEST_CASE("throttle: a new generation is trusted when one of its children has proven itself") {
  Throttle throttle;
  CHECK_FALSE(throttle.trusts());
  throttle.proved();
  CHECK(throttle.trusts());
  throttle.new_generation();
  CHECK_FALSE(throttle.trusts());
  throttle.proved();
  throttle.failed(Time{100s});
  CHECK_FALSE(throttle.trusts());
  throttle.proved();
  CHECK(throttle.trusts());
}

TEST_CASE("throttle: a fork that fails is no fault of the children") {
  const Time now{100s};
  Throttle throttle;
  throttle.proved();
  CHECK_FALSE(throttle.lacks_processes());
  throttle.could_not_fork(now);
  CHECK(throttle.active());
  CHECK(throttle.lacks_processes());
  CHECK(throttle.trusts());
  CHECK(throttle.may_start() == now + 1s);
  throttle.could_not_fork(now + 1s);
  CHECK(throttle.may_start() == now + 3s);
  throttle.failed(now + 3s);
  CHECK_FALSE(throttle.lacks_processes());
  CHECK_FALSE(active_at(now).lacks_processes());
}

TEST_CASE(
    "throttle: when no start is wanted any more there is nothing to delay, but failures are remembered") {
  const Time now{100s};
  Throttle throttle = active_at(now);
  throttle.complete(now + 500ms);
  CHECK(throttle.active());
  throttle.complete(now + 1s);
  CHECK_FALSE(throttle.active());
  CHECK(throttle.may_start() == Time::min());
  CHECK_FALSE(throttle.trusts());
  throttle.failed(now + 2s);
  CHECK(throttle.may_start() == now + 3s);
}

TEST_CASE("throttle: in a minute of failures at once there are few starts") {
  Throttle throttle;
  int starts = 0;
  for (Time now{0s}; now < Time{60s}; now += 100ms) {
    if (now < throttle.may_start()) continue;
    throttle.started(now);
    ++starts;
    throttle.failed(now);
  }
  CHECK(starts <= 10);
}

TEST_CASE("throttle: a new program tries one start at once, and then the delays go on where they were") {
  const Time now{100s};
  Throttle former = active_at(now);
  for (const auto wait : {1s, 2s}) {
    former.started(now + wait);
    former.failed(now + wait);
  }
  REQUIRE(former.delay() == 4s);
  Throttle next;
  next.go_on(former.left(), true);
  CHECK(next.active());
  CHECK(next.may_start() <= now);
  CHECK_FALSE(next.trusts());
  CHECK_FALSE(next.lacks_processes());
  next.started(now + 10s);
  CHECK(next.may_start() == now + 14s);  // one at a time
  next.failed(now + 11s);
  CHECK(next.may_start() == now + 19s);
  next.started(now + 19s);
  next.proved();
  CHECK_FALSE(next.active());
}

TEST_CASE("throttle: the former program that goes on waits as long as it was to") {
  const Time now{100s};
  const Throttle former = active_at(now);
  Throttle again;
  again.go_on(former.left(), false);
  CHECK(again.delay() == 1s);
  CHECK(again.may_start() == now + 1s);
  Throttle none;
  none.go_on(Throttle().left(), false);
  CHECK_FALSE(none.active());
  CHECK(none.may_start() == Time::min());
}
