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

TEST_CASE("patience: each KiB that a client has sent gives it its time again") {
  CHECK(patience_with(4s, 1, 32, 1024) == 4s);
  CHECK(patience_with(4s, 1, 32, 9 * 1024) == 20s);
  CHECK(patience_with(4s, 1, 32, 1) < 2010ms);
  CHECK(patience_with(4s, 0, 1, UINT64_MAX) == 24h);
}
