// SPDX-License-Identifier: MIT
#include "base/log/message_limiter.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace brood;
using namespace std::chrono_literals;

namespace {

using More = MessageLimiter::More;

// A message at each of these times: which are logged, and what is said of the others before each.
struct Row {
  Clock::duration at;
  bool logged;
  std::optional<More> before = {};
};

}  // namespace

TEST_CASE("the first messages of a period are logged, and the others are summed up when it is over") {
  const std::vector<std::vector<Row>> tables = {
      {{0s, true}, {1s, true}, {2s, true}, {3s, false}, {9999ms, false}, {10s, true, More{2, 9999ms}}},
      {{0s, true}, {20s, true}, {40s, true}, {60s, true}, {80s, true}},
      {{5s, true}, {5s, true}, {5s, true}, {5s, false}, {1h, true, More{1, 0s}}, {1h + 1s, true}},
      // A period begins with a message, not with the end of the one before.
      {{0s, true}, {14s, true}, {15s, true}, {16s, true}, {23s, false}, {24s, true, More{1, 9s}}},
  };
  for (const auto& table : tables) {
    MessageLimiter limiter(3, 10s);
    for (const auto& [at, logged, before] : table) {
      CAPTURE(std::chrono::duration_cast<std::chrono::milliseconds>(at).count());
      CHECK(limiter.due(Time(1000h + at)) == before);
      CHECK(limiter.allows(Time(1000h + at)) == logged);
    }
  }
}

TEST_CASE("what is held back is summed up at the end, once") {
  MessageLimiter limiter(1, 10s);
  CHECK(!limiter.end());
  CHECK(limiter.allows(Time(1s)));
  CHECK(!limiter.holds_back());
  CHECK(!limiter.allows(Time(2s)));
  CHECK(!limiter.allows(Time(4s)));
  CHECK(limiter.holds_back());
  CHECK(limiter.end() == More{2, 3s});
  CHECK(!limiter.holds_back());
  CHECK(!limiter.end());
  CHECK(limiter.allows(Time(5s)));
}

TEST_CASE("every message is logged or counted, and no period has more than allowed") {
  std::mt19937 random(7);  // NOLINT: the same each time
  MessageLimiter limiter(4, 10s);
  Time now(1h);
  std::uint64_t logged = 0;
  std::uint64_t counted = 0;
  std::vector<Time> last;  // the times of what was logged
  for (int i = 0; i < 100'000; ++i) {
    now += std::chrono::milliseconds(random() % (i % 1000 < 500 ? 100 : 8000));
    if (const auto more = limiter.due(now)) counted += more->messages;
    if (!limiter.allows(now)) continue;
    ++logged;
    last.push_back(now);
    // Two periods that follow each other may share ten seconds.
    if (last.size() > 8) CHECK(now - last[last.size() - 9] >= 10s);
  }
  if (const auto more = limiter.end()) counted += more->messages;
  CHECK(logged + counted == 100'000);
}
