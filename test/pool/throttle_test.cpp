// SPDX-License-Identifier: MIT
#include "pool/throttle.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using brood::Throttle;
using brood::Time;

TEST_CASE("each start that fails doubles the wait, up to a minute") {
  Throttle throttle;
  Time now{100s};
  CHECK_FALSE(throttle.active());
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

TEST_CASE("children that die together are one failure") {
  Throttle throttle;
  const Time now{100s};
  for (int i = 0; i < 50; ++i) throttle.failed(now);
  CHECK(throttle.may_start() == now + 1s);
}

TEST_CASE("one that proves itself ends it") {
  Throttle throttle;
  const Time now{100s};
  throttle.failed(now);
  throttle.started(now + 1s);
  CHECK(throttle.probing());
  throttle.cleared();
  CHECK_FALSE(throttle.active());
  CHECK_FALSE(throttle.probing());
  CHECK(throttle.may_start() == Time::min());
}

TEST_CASE("in a minute of failures at once there are few starts") {
  Throttle throttle;
  int starts = 0;
  for (Time now{0s}; now < Time{60s}; now += 100ms) {
    if (now < throttle.may_start()) continue;
    throttle.started(now);
    ++starts;
    throttle.failed(now);
  }
  CHECK(starts <= 7);
}
