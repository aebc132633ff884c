// SPDX-License-Identifier: MIT
#include "pool/pause.hpp"

#include <doctest/doctest.h>

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr Time start{1000s};

}  // namespace

TEST_CASE("a pause is noticed if the parent wakes too late, or is continued") {
  const struct {
    const char* what;
    Clock::duration until, woken;  // after `start`; zero for `until`: never
    bool continued;
    Clock::duration pause;
  } rows[] = {
      {"woken in time", 3s, 3s, false, 0s},
      {"a little late", 3s, 3500ms, false, 0s},
      {"too late", 3s, 3501ms, false, 501ms},
      {"long before it was due", 3s, 1s, false, 0s},
      {"by an event, with nothing due", 0s, 3600s, false, 0s},
      {"continued, with nothing due", 0s, 4s, true, 4s},
      {"continued before it was due", 3s, 2s, true, 2s},
      {"continued after it was due", 3s, 5s, true, 5s},
      {"due at once, in time", 1ns, 2ns, false, 0s},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    PauseDetector pauses;
    CHECK(pauses.runs(start - 1ms, false) == 0s);
    pauses.sleeps(start, row.until == 0s ? never : start + row.until);
    CHECK(pauses.runs(start + row.woken, row.continued) == row.pause);
    // It is told of once.
    pauses.sleeps(start + row.woken, never);
    CHECK(pauses.runs(start + row.woken + 9s, false) == 0s);
  }
}

TEST_CASE(
    "a time that has passed when the sleep begins makes no pause, and a pause may be between two sleeps") {
  PauseDetector pauses;
  pauses.sleeps(start, start - 10s);
  CHECK(pauses.runs(start + 1ms, false) == 0s);
  pauses.sleeps(start + 400ms, never);
  CHECK(pauses.runs(start + 500ms, false) == 0s);
  pauses.sleeps(start + 4500ms, never);
  CHECK(pauses.runs(start + 4600ms, false) == 4s);
  pauses.sleeps(start + 4600ms, never);
  CHECK(pauses.runs(start + 4700ms, false) == 0s);
}

TEST_CASE("a pause is noticed before the parent acts, if it comes after the parent has woken") {
  PauseDetector pauses;
  pauses.sleeps(start, start + 2s);
  CHECK(pauses.runs(start + 1s, false) == 0s);
  CHECK(pauses.runs(start + 4s, false) == 3s);
  CHECK(pauses.runs(start + 4s, false) == 0s);
}
