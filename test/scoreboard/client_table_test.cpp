// SPDX-License-Identifier: MIT
// Threads play the children: each has a slot of its own.
#include "scoreboard/client_table.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "test_table.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

ClientHash client(std::uint32_t number) {
  return hash_of({reinterpret_cast<const std::uint8_t*>(&number), sizeof number}, 4711);
}

struct CountedTable : TestTable {
  explicit CountedTable(std::size_t connections = TestTable::slots) {
    scoreboard.allocate_clients(connections);
  }
  ClientCounts counts(std::uint32_t slot, unsigned most) {
    serving(slot);
    return {scoreboard, slot, most};
  }
};

}  // namespace

TEST_CASE("a client has as many connections as it may have with all children together") {
  CountedTable table;
  const ClientCounts one = table.counts(0, 3), other = table.counts(70, 3);
  const auto first = one.take(client(1));
  REQUIRE(first);
  CHECK(one.take(client(1)));
  CHECK(other.take(client(1)));
  CHECK_FALSE(other.take(client(1)));
  CHECK_FALSE(one.take(client(1)));
  CHECK(other.take(client(2)));
  CHECK(one.count(client(1)) == 3);
  one.give_back(*first);
  CHECK(other.take(client(1)));
  CHECK_FALSE(one.take(client(1)));
}

TEST_CASE("the connections of a child that has ended no longer count") {
  CountedTable table;
  const ClientCounts one = table.counts(0, 2);
  const auto place = table.counts(1, 2).take(client(1));
  CHECK(table.counts(2, 2).take(client(1)));
  CHECK_FALSE(one.take(client(1)));
  {
    const ScoreboardLock lock(table.scoreboard, Clock::now() + 1s);
    table.scoreboard.free(1);
  }
  CHECK(one.count(client(1)) == 1);
  CHECK(one.take(client(1)));
  // The next child in the slot has no part in what the last one had.
  const ClientCounts next = table.counts(1, 2);
  CHECK(one.count(client(1)) == 2);
  next.give_back(*place);
  CHECK(one.count(client(1)) == 2);
}

TEST_CASE("nothing that a child writes over the places counts, unless it is a place") {
  CountedTable table;
  const ClientCounts counts = table.counts(0, 1);
  std::mt19937_64 random(7);  // NOLINT: the same each time
  for (const int pattern : {0, 0xff, 0x55, -1}) {
    for (auto& place : table.scoreboard.client_places()) {
      std::uint64_t value = random();
      if (pattern >= 0) std::memset(&value, pattern, sizeof value);
      place.store(value);
    }
    for (std::uint32_t i = 0; i < 20; ++i) {
      const auto place = counts.take(client(i));
      REQUIRE(place);
      CHECK_FALSE(counts.take(client(i)));
      counts.give_back(*place);
    }
  }
}

TEST_CASE("children of before and after agree when the table has grown") {
  CountedTable table(1);
  const ClientCounts before = table.counts(0, 2);
  table.scoreboard.allocate_clients(100'000);
  const ClientCounts after = table.counts(1, 2);
  for (std::uint32_t i = 0; i < 50; ++i) {
    const auto one = before.take(client(i)), other = after.take(client(i));
    CHECK(one);
    CHECK(other);
    CHECK_FALSE(before.take(client(i)));
    CHECK_FALSE(after.take(client(i)));
    before.give_back(*one);
    CHECK(after.take(client(i)));
  }
}

TEST_CASE("a table that is too small lets clients in") {
  CountedTable table(1);
  const auto places = table.scoreboard.client_places().size();
  const ClientCounts counts = table.counts(0, 2);
  std::size_t uncounted = 0;
  for (std::uint32_t i = 0; i < 2 * places; ++i) {
    const auto place = counts.take(client(i));
    REQUIRE(place);
    if (*place == ClientCounts::no_place) ++uncounted;
  }
  CHECK(uncounted >= places);
  counts.give_back(ClientCounts::no_place);
}

TEST_CASE("children that accept at once let in as many as may come in") {
  CountedTable table;
  constexpr unsigned most = 5, children = 8;
  std::atomic<unsigned> open{0}, highest{0}, admitted{0}, refused{0}, done{0};
  std::vector<std::thread> threads;
  std::vector<ClientCounts> counts;
  for (unsigned i = 0; i < children; ++i) counts.push_back(table.counts(i, most));
  for (unsigned i = 0; i < children; ++i)
    threads.emplace_back([&, its = counts[i]] {
      std::vector<ClientCounts::Place> held;
      const auto give_back = [&] {
        --open;
        its.give_back(held.back());
        held.pop_back();
      };
      for (int round = 0; round < 3000; ++round) {
        if (const auto place = its.take(client(1))) {
          ++admitted;
          const unsigned now = ++open;
          for (unsigned known = highest; now > known && !highest.compare_exchange_weak(known, now);) {
          }
          held.push_back(*place);
        } else {
          ++refused;
        }
        if (held.size() > 1) give_back();
      }
      ++done;
      while (done < children) std::this_thread::yield();  // one place is held until all are done
      while (!held.empty()) give_back();
    });
  for (auto& thread : threads) thread.join();
  CHECK(highest.load() == most);
  CHECK(counts[0].count(client(1)) == 0);
  CHECK(admitted.load() > 0);
  CHECK(refused.load() > 0);
}

TEST_CASE("of children that accept at once for one client none is refused while there is a place") {
  for (int round = 0; round < 200; ++round) {
    CountedTable table;
    constexpr unsigned children = 4;
    std::vector<ClientCounts> counts;
    for (unsigned i = 0; i < children; ++i) counts.push_back(table.counts(i, children));
    std::atomic<unsigned> ready{0}, admitted{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < children; ++i)
      threads.emplace_back([&, its = counts[i]] {
        ++ready;
        while (ready < children) std::this_thread::yield();
        if (its.take(client(1))) ++admitted;
      });
    for (auto& thread : threads) thread.join();
    REQUIRE(admitted.load() == children);
  }
}

TEST_CASE("a client that was quiet may begin a burst and then one connection in each interval") {
  CountedTable table;
  const ClientRates rates(table.scoreboard, 100ms, 3);
  const Time start = Clock::now();
  for (int i = 0; i < 3; ++i) CHECK(rates.take(client(1), start));
  CHECK_FALSE(rates.take(client(1), start));
  CHECK_FALSE(rates.take(client(1), start + 99ms));
  CHECK(rates.take(client(2), start + 99ms));
  CHECK(rates.take(client(1), start + 101ms));
  CHECK_FALSE(rates.take(client(1), start + 102ms));
  for (int i = 0; i < 3; ++i) CHECK(rates.take(client(1), start + 10s));
  CHECK_FALSE(rates.take(client(1), start + 10s));
  // The clock of the cells has begun again.
  const Time later = start + std::chrono::hours(24 * 40);
  for (int i = 0; i < 3; ++i) CHECK(rates.take(client(1), later));
  CHECK_FALSE(rates.take(client(1), later));
}

TEST_CASE("a time that a setting cannot have led to counts for nothing") {
  CountedTable table;
  const ClientRates rates(table.scoreboard, 1s, 1);
  const Time now = Clock::now();
  for (const std::uint64_t value : {~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{0x5555555555555555}}) {
    for (auto& cell : table.scoreboard.client_rates()) cell.store(value);
    CHECK(rates.take(client(1), now));
    CHECK_FALSE(rates.take(client(1), now));
  }
}

TEST_CASE("more clients than cells: the one that owes least is forgotten") {
  CountedTable table;
  const ClientRates rates(table.scoreboard, 1min, 1);
  const Time now = Clock::now();
  unsigned refused = 0;
  const auto cells = static_cast<std::uint32_t>(table.scoreboard.client_rates().size());
  for (std::uint32_t i = 0; i < cells / 2; ++i) rates.take(client(i), now);
  for (std::uint32_t i = 0; i < cells / 2; ++i) refused += rates.take(client(i), now) ? 0 : 1;
  CHECK(refused > cells / 3);
  for (std::uint32_t i = 0; i < 4 * cells; ++i) CHECK(rates.take(client(cells + i), now + 1s));
}

TEST_CASE("without a setting that counts clients their tables have no memory") {
  const TestTable table;
  CHECK(table.scoreboard.client_places().empty());
  CHECK(table.scoreboard.client_rates().empty());
}
