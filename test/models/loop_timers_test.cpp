// SPDX-License-Identifier: MIT
// The timers of a child, against a time of the test's own.
#include "models/event_loop/loop_timers.hpp"

#include <doctest/doctest.h>

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr Time timers_start = Time(1000s);
using Ids = std::vector<TimerId>;

}  // namespace

TEST_CASE("timers are due in the order of their times, each once") {
  LoopTimers timers;
  CHECK(timers.next_due() == never);
  unsigned called = 0;
  const TimerId late = timers.add(timers_start + 2s, 0s, [&] { called += 10; });
  const TimerId early = timers.add(timers_start + 1s, 0s, [&] { called += 1; });
  CHECK(late != early);
  CHECK(timers.next_due() == timers_start + 1s);
  CHECK(timers.take_due(timers_start + 999ms).empty());
  CHECK(timers.take_due(timers_start + 2s) == Ids{early, late});
  CHECK(timers.next_due() == never);
  for (const TimerId id : {early, late}) {
    const auto function = timers.begin(id);
    REQUIRE(function != nullptr);
    (*function)();
    timers.end(id, timers_start + 2s);
    CHECK(timers.begin(id) == nullptr);
  }
  CHECK(called == 11);
  CHECK(timers.next_due() == never);
}

TEST_CASE("a timer that repeats keeps its times, makes up for none, and is not due while it runs") {
  LoopTimers timers;
  const TimerId id = timers.add(timers_start + 1s, 1s, [] {});
  CHECK(timers.take_due(timers_start + 1200ms) == Ids{id});
  CHECK(timers.begin(id) != nullptr);
  CHECK(timers.next_due() == never);
  timers.end(id, timers_start + 1300ms);
  CHECK(timers.next_due() == timers_start + 2s);
  CHECK(timers.take_due(timers_start + 2s) == Ids{id});
  CHECK(timers.begin(id) != nullptr);
  timers.end(id, timers_start + 5500ms);  // it took too long
  CHECK(timers.next_due() == timers_start + 6500ms);
}

TEST_CASE("a timer that was removed is never due, also when it was taken or runs") {
  LoopTimers timers;
  const TimerId waits = timers.add(timers_start + 1s, 1s, [] {});
  const TimerId taken = timers.add(timers_start, 1s, [] {});
  const TimerId runs = timers.add(timers_start, 1s, [] {});
  CHECK(timers.take_due(timers_start) == Ids{taken, runs});
  const auto function = timers.begin(runs);
  for (const TimerId id : {waits, taken, runs, TimerId{0}, TimerId{99}}) timers.remove(id);
  timers.end(runs, timers_start);
  CHECK(function != nullptr);  // what runs stays valid
  CHECK(timers.begin(taken) == nullptr);
  CHECK(timers.next_due() == never);
}
