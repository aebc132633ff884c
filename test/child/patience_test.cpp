// SPDX-License-Identifier: MIT
#include "child/connection/patience.hpp"

#include <doctest/doctest.h>

using namespace brood;
using namespace std::chrono_literals;

TEST_CASE("patience: all of it if nobody waits, half if one waits for 32 places, and ever less") {
  CHECK(patience_with(4s, 0, 50, 0) == 4s);
  CHECK(patience_with(4s, 1, 32, 0) == 2s);
  CHECK(patience_with(4s, 32, 1024, 0) == 2s);
  auto before = patience_with(4s, 0, 50, 0);
  for (unsigned waiting = 1; waiting < 2000; waiting += 7) {
    const auto now = patience_with(4s, waiting, 50, 0);
    CHECK(now <= before);
    before = now;
  }
}

TEST_CASE(
    "patience: who waits behind slow clients alone waits for less than a thirty-second of the setting") {
  for (unsigned waiting = 1; waiting < 1000; waiting += 7)
    CHECK(patience_with(4s, waiting, 50, 0) * waiting / 50 <= 4000ms / 32);
}

TEST_CASE("patience: it is never too short for an exchange in a local network") {
  CHECK(patience_with(4s, 1'000'000, 1, 0) == shortest_patience);
  CHECK(patience_with(1ms, 1, 1, 0) == shortest_patience);
  CHECK(patience_with(4s, 1'000'000, 0, 0) == shortest_patience);
}

TEST_CASE("patience: a few that wait for a small service are no crowd") {
  struct Case {
    std::chrono::milliseconds longest;
    unsigned waiting, places;
    std::chrono::milliseconds lowest, highest;
  };
  // The default, a short one, and none that is shorter than what is always there.
  const Case cases[] = {
      {4s, 1, 1, 121ms, 122ms},   // as without this limit
      {4s, 2, 1, 100ms, 100ms},   // 62
      {4s, 5, 1, 100ms, 100ms},   // 25
      {4s, 10, 1, 100ms, 100ms},  // 12
      {4s, 20, 1, 50ms, 50ms},    // 6
      {4s, 100, 1, 10ms, 10ms},  {4s, 200, 1, 5ms, 5ms},   {4s, 10, 4, 100ms, 100ms},  // 49
      {4s, 40, 4, 25ms, 25ms},                                                         // 12
      {4s, 8, 8, 121ms, 122ms},  {4s, 40, 8, 25ms, 26ms},                              // the same
      {4s, 1000, 50, 6ms, 7ms},  {30ms, 5, 1, 30ms, 30ms}, {1ms, 5, 1, 5ms, 5ms},
  };
  for (const auto& [longest, waiting, places, lowest, highest] : cases) {
    CAPTURE(waiting);
    CAPTURE(places);
    const auto patience = patience_with(longest, waiting, places, 0);
    CHECK(patience >= lowest - 1us);
    CHECK(patience <= highest + 1us);
  }
  // Whoever is behind slow clients alone waits for a second at most.
  for (unsigned places = 1; places < 20; ++places)
    for (unsigned waiting = 1; waiting < 200; ++waiting)
      CHECK(patience_with(4s, waiting, places, 0) * waiting / places <=
            std::max<std::chrono::nanoseconds>(1000000us / places, 125ms) + 1us);
}

TEST_CASE("patience: each KiB that a client has sent gives it its time again") {
  CHECK(patience_with(4s, 1, 32, 1024) == 4s);
  CHECK(patience_with(4s, 1, 32, 9 * 1024) == 20s);
  CHECK(patience_with(4s, 1, 32, 1) < 2010ms);
  CHECK(patience_with(4s, 0, 1, UINT64_MAX) == 24h);
}

TEST_CASE("overload: it begins when clients wait for a tenth of a second, and ends when they hardly wait") {
  const Time start{};
  const auto after_windows = [&](int number) { return start + number * Overload::window; };
  Overload quick;
  CHECK_FALSE(quick.look(200, 0, start));
  // 2,000 are accepted in a tenth of a second, and 200 wait: each for 10 ms.
  for (int i = 1; i < 10; ++i)
    CHECK_FALSE(quick.look(200, 2000U * static_cast<unsigned>(i), after_windows(i)));

  Overload slow;
  CHECK_FALSE(slow.look(5, 20, start));
  CHECK_FALSE(slow.look(5, 20, start + Overload::window / 2));
  CHECK(slow.look(5, 20, after_windows(1)));        // no child has taken anybody
  CHECK(slow.look(5, 30, after_windows(2)));        // 50 ms each
  CHECK_FALSE(slow.look(5, 55, after_windows(3)));  // 20 ms each
  CHECK_FALSE(slow.look(5, 65, after_windows(4)));  // 50 ms each, which is not enough to begin
  CHECK(slow.look(1, 65, after_windows(5)));
  CHECK_FALSE(slow.look(0, 65, after_windows(6)));
  CHECK_FALSE(slow.look(5, 65, after_windows(7)));  // from the beginning
}
