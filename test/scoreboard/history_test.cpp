// SPDX-License-Identifier: MIT
// What the scoreboard tells of the past: the seconds, the waits, how many children were busy, the journal.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>

#include "scoreboard/history/past_sums.hpp"
#include "scoreboard/history/seconds.hpp"
#include "scoreboard/history/wait_sampling.hpp"
#include "test_table.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t microsecond = 1'000, millisecond = 1'000'000, second = 1'000'000'000;

SecondSnapshot sum_of(const ServiceSnapshot& service) {
  SecondSnapshot sum;
  for (const auto& each : service.history) {
    sum.finished += each.finished;
    sum.failed += each.failed;
    sum.timed_out += each.timed_out;
    sum.probes += each.probes;
    sum.aborted += each.aborted;
    sum.longest_wait = std::max(sum.longest_wait, each.longest_wait);
    sum.most_busy = std::max(sum.most_busy, each.most_busy);
  }
  return sum;
}

}  // namespace

TEST_CASE("a word of the history belongs to its second, and to no other") {
  SecondWord word{0};
  add_in(word, 1000, 3);
  add_in(word, 1000, 4);
  CHECK(value_in(word, 1000) == 7);
  CHECK(value_in(word, 400) == 0);
  CHECK(value_in(word, 1600) == 0);
  add_in(word, 1600, 1);  // ten minutes later: the same place
  CHECK(value_in(word, 1600) == 1);
  CHECK(value_in(word, 1000) == 0);
  add_in(word, 1000, 5);  // who is late by ten minutes changes nothing
  CHECK(value_in(word, 1600) == 1);
  raise_in(word, 1600, 9);
  raise_in(word, 1600, 8);
  CHECK(value_in(word, 1600) == 9);
  add_in(word, 1600, UINT64_MAX / 2);
  CHECK(value_in(word, 1600) == UINT32_MAX);
  CHECK(value_in(word, 1601) == 0);
}

TEST_CASE("nonsense in a word is gone when its place is used again") {
  for (const std::uint64_t nonsense : {std::uint64_t{0}, UINT64_MAX, std::uint64_t{1} << 63U}) {
    SecondWord word{nonsense};
    add_in(word, 5000, 2);
    CHECK(value_in(word, 5000) == 2);
  }
}

TEST_CASE("several threads lose nothing in a word") {
  SecondWord word{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 10'000; ++j) add_in(word, 7, 1);
    });
  for (auto& thread : threads) thread.join();
  CHECK(value_in(word, 7) == 40'000);
}

TEST_CASE("which connections are measured") {
  const struct {
    std::string what;
    std::int64_t took;   // the connection before
    std::int64_t pause;  // since its end
    bool spares;
    bool due;
  } rows[] = {
      {"accept slept after a short one", 100 * microsecond, 60 * microsecond, false, false},
      {"found at once after a short one", 100 * microsecond, 2 * microsecond, false, true},
      {"found at once after a long one", 400 * millisecond, 2 * microsecond, false, true},
      {"also if a sibling has just become a spare", 400 * millisecond, 2 * microsecond, true, true},
      {"the child was interrupted after a long one", 400 * millisecond, 100 * millisecond, false, true},
      {"nobody was spare, but it has slept for long", 400 * millisecond, 300 * millisecond, false, false},
      {"found at once after one of medium length", 20 * millisecond, 2 * microsecond, false, true},
      {"it has slept, and siblings are spare", 400 * millisecond, 10 * millisecond, true, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    WaitSampling waits;
    waits.ended(100 * second, row.took);
    CHECK(waits.due(100 * second + row.pause, row.spares) == row.due);
  }
}

TEST_CASE("while connections are short one in a second is measured, and one in 16 ms while waits are long") {
  WaitSampling waits;
  std::int64_t now = 100 * second;
  const auto serve = [&](std::uint32_t wait) {  // for a second
    unsigned measured = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i, now += 10 * microsecond) {
      if (waits.due(now, false)) {
        ++measured;
        waits.measured(now, wait, i + 1);
      }
      waits.ended(now + 9 * microsecond, 8 * microsecond);
    }
    return measured;
  };
  waits.begin(now);
  CHECK(serve(0) == 1);
  CHECK(serve(0) == 1);
  serve(20);
  const unsigned measured = serve(20);
  CHECK(measured >= 60);
  CHECK(measured <= 63);
}

TEST_CASE("a measured connection stands for those since the last one while waits are long") {
  WaitSampling waits;
  waits.ended(second, 8 * microsecond);
  CHECK(waits.measured(second, 20, 1000) == 1);
  CHECK(waits.measured(second + 4 * millisecond, 20, 1400) == 400);
  CHECK(waits.measured(second + 8 * millisecond, 0, 1800) == 1);
  CHECK(waits.measured(second + 12 * millisecond, 20, 2200) == 1);
  CHECK(waits.measured(second + 900 * millisecond, 20, 9000) == 1);  // nobody knows what was between
}

TEST_CASE("the buckets of waits") {
  CHECK(wait_bucket(0) == 0);
  CHECK(wait_bucket(7) == 0);
  CHECK(wait_bucket(8) == 1);
  CHECK(wait_bucket(15) == 1);
  CHECK(wait_bucket(16) == 2);
  CHECK(wait_bucket(1 << 18) == 16);
  CHECK(wait_bucket(UINT32_MAX) == 16);
}

TEST_CASE("waits are counted in their bucket, and kept when the child is gone") {
  TestTable table;
  ChildSlot child = table.serving(0);
  for (const auto time : {0ms, 7ms, 8ms, 400ms, 1180ms}) {
    const ConnectionId id = child.accepted(loopback_peer(1), 0);
    CHECK(child.waited(id, time, true) == (time >= 8ms));
    child.finished(id, Outcome::served, 0, 0);
  }
  child.saw_waiting(3);
  for (int i = 0; i < 2; ++i) {
    const ServiceSnapshot service = table.look();
    CHECK(service.waits[0] == 2);
    CHECK(service.waits[1] == 1);
    CHECK(service.waits[6] == 1);  // 256 to 511 ms
    CHECK(service.waits[8] == 1);  // 1024 to 2047 ms
    CHECK(service.wait == 1588ms);
    CHECK(service.longest_wait == 1180ms);
    CHECK(service.most_waiting == 3);
    CHECK(sum_of(service).longest_wait == 1180ms);
    table.scoreboard.free(0);
  }
}

TEST_CASE("what a child has done is in the history at once, and stays when it is gone") {
  TestTable table;
  ChildSlot first = table.serving(0), second = table.serving(1);
  table.scoreboard.service_orders().serving.store(2);
  const auto one = first.accepted(loopback_peer(1), 0);
  const auto other = second.accepted(loopback_peer(2), 0);
  first.finished(one, Outcome::failed, 0, 0);
  second.finished(other, Outcome::timed_out, 0, 0);
  first.finished(first.accepted(loopback_peer(1), 0), Outcome::probe, 0, 0);
  second.accepted(loopback_peer(2), 0);
  for (int i = 0; i < 2; ++i) {
    const ServiceSnapshot service = table.look();
    REQUIRE(service.history.size() == history_seconds);
    const SecondSnapshot sum = sum_of(service);
    CHECK(sum.finished == 3);
    CHECK(sum.failed == 1);
    CHECK(sum.timed_out == 1);
    CHECK(sum.probes == 1);
    CHECK(sum.aborted == (i == 0 ? 0 : 1));
    CHECK(sum.most_busy == 2);
    CHECK(service.most_busy == 2);
    table.scoreboard.free(0);
    table.scoreboard.free(1);
  }
}

TEST_CASE("endings are in the second in which they were") {
  TestTable table;
  ChildSlot child = table.serving(0);
  const std::int64_t now = to_nanoseconds(Clock::now());
  if (now < 100 * second) return;  // the machine was just started
  const auto ends = [&](std::int64_t ago, int number) {
    for (int i = 0; i < number; ++i)
      child.finished(child.accepted(loopback_peer(1), 0), Outcome::served, 0, 0, from_nanoseconds(now - ago));
  };
  // accepted() reads the clock itself, so that all of them begin in the present second.
  ends(0, 2);
  const std::uint32_t present = second_of(now);
  HistoryTable& history = table.scoreboard.history();
  add_in(place_of(history, present - 70).finished, present - 70, 5);
  add_in(place_of(history, present - 599).finished, present - 599, 6);
  add_in(place_of(history, present - 700).finished, present - 700, 7);
  const ServiceSnapshot service = table.look();
  CHECK(sum_of(service).finished >= 7);  // a second or more has passed on a slow machine
  CHECK(sum_of(service).finished <= 13);
  const auto five = std::ranges::find(service.history, 5U, &SecondSnapshot::finished);
  REQUIRE(five != service.history.end());
  CHECK(service.history.end() - five >= 71);
}

TEST_CASE("for how long exactly so many children were busy") {
  TestTable table;
  ChildSlot first = table.serving(0), second_child = table.serving(1);
  table.scoreboard.service_orders().serving.store(2);
  const auto one = first.accepted(loopback_peer(1), 0);
  const auto other = second_child.accepted(loopback_peer(2), 0);
  const Time later = Clock::now();
  first.finished(one, Outcome::served, 0, 0, later + 3s);
  second_child.finished(other, Outcome::served, 0, 0, later + 2s);
  table.scoreboard.service_orders().created_at = to_nanoseconds(later - 10s);
  for (int i = 0; i < 2; ++i) {
    const ServiceSnapshot service = table.look();
    REQUIRE(service.busy_times.size() == 3);
    CHECK(service.busy_times[1] >= 3s);  // the first one was alone when it began
    CHECK(service.busy_times[2] >= 1s);  // the second one was not
    CHECK(service.busy_times[2] < 1500ms);
    CHECK(service.busy_times[0] >= 5s);
    if (i == 0) table.scoreboard.writable_slot_orders(0).forked_at.store(to_nanoseconds(later - 10s));
    if (i == 0) table.scoreboard.writable_slot_orders(1).forked_at.store(to_nanoseconds(later - 10s));
    table.scoreboard.free(0);
    table.scoreboard.free(1);
  }
}

TEST_CASE("the journal has the last 256 decisions, with what the parent had seen") {
  TestTable table;
  Journal journal = table.scoreboard.journal();
  table.scoreboard.service_orders().max_clients.store(9);
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    journal.saw({.total = i, .starting = 1, .idle = 2, .busy = 3, .leaving = 4, .outdated = 5, .waiting = 6});
    CHECK(journal.note({.kind = DecisionKind::start, .count = i, .word = std::string(100, 'x')}) == i);
  }
  CHECK(journal.last() == 1000);
  const ServiceSnapshot service = table.look();
  REQUIRE(service.decisions.size() == journal_entries);
  std::uint64_t number = 745;
  for (const auto& decision : service.decisions) {
    CHECK(decision.number == number);
    CHECK(decision.count == number);
    CHECK(decision.total == number);
    CHECK(decision.waiting == 6);
    CHECK(decision.outdated == 5);
    CHECK(decision.max_clients == 9);
    CHECK(decision.word == std::string(31, 'x'));
    ++number;
  }
}

TEST_CASE("an entry that is being written is left out") {
  TestTable table;
  Journal journal = table.scoreboard.journal();
  journal.note({.kind = DecisionKind::pause});
  journal.note({.kind = DecisionKind::resume});
  journal.note(ChildEnded{.pid = 7, .reason = Reason::retire, .failed = true}, table.scoreboard.slot(0),
               table.scoreboard.slot_orders(0));
  REQUIRE(table.look().decisions.size() == 2);
  REQUIRE(table.look().ends.size() == 1);
  CHECK(table.look().ends[0].pid == 7);
  CHECK(table.look().ends[0].reason == Reason::retire);
  CHECK(table.look().ends[0].failed);
}

TEST_CASE("whatever children have written over the past, it reads as something in range") {
  TestTable table;
  const ChildSlot child = table.serving(1);
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t same[] = {0, UINT64_MAX, INT64_MAX, std::uint64_t{1} << 63U};
    const auto next = [&] { return round < 4 ? same[round] : random(); };
    const auto write_over = [&](void* at, std::size_t size) {
      for (std::size_t i = 0; i < size / 8; ++i) {
        const std::uint64_t word = next();
        std::memcpy(static_cast<char*>(at) + i * 8, &word, 8);
      }
    };
    write_over(&table.scoreboard.slot(1).past, sizeof(PastOfChild));
    write_over(&table.scoreboard.history(), sizeof(HistoryTable));
    write_over(table.scoreboard.busy_times().data(), table.scoreboard.busy_times().size_bytes());
    const ServiceSnapshot service = table.look();
    CHECK(service.history.size() == history_seconds);
    CHECK(service.most_busy <= TestTable::slots);
    CHECK(service.busy_times.size() <= TestTable::slots + 1);
    for (const auto time : service.busy_times) CHECK(time >= 0s);
    CHECK(service.longest_wait >= 0ms);
    CHECK(service.wait >= 0ms);
  }
  table.scoreboard.free(1);
  const ServiceSnapshot service = table.look();
  CHECK(service.most_waiting <= 1U << 20U);
}
