// SPDX-License-Identifier: MIT
#include "child/own_counters.hpp"

#include <doctest/doctest.h>

#include <string>

#include "brood/error.hpp"

using namespace brood;

TEST_CASE("a counter and a gauge count in their own object until they are bound") {
  Counter counter;
  counter.add();
  counter.add(41);
  CHECK(counter.value() == 42);
  Gauge gauge;
  gauge.set(10);
  gauge.add(5);
  gauge.subtract(20);
  CHECK(gauge.value() == -5);

  std::atomic<std::uint64_t> row = 100;
  counter.bind(&row);
  counter.add();
  CHECK(row == 101);
  counter.bind(nullptr);
  counter.add();
  CHECK(row == 101);
  CHECK(counter.value() == 43);
}

TEST_CASE("names of counters are checked when they are added") {
  Counter counter;
  Gauge gauge;
  Counters counters;
  counters.counter("a", counter, "");
  counters.gauge(std::string(31, 'x'), gauge, std::string(95, 'h'));
  for (const std::string name : {"", "1st", "two words", "a", "über", "-a", "a.b"})
    CHECK_THROWS_AS(counters.counter(name, counter, ""), Error);
  CHECK_THROWS_AS(counters.gauge(std::string(32, 'x'), gauge, ""), Error);
  CHECK_THROWS_AS(counters.gauge("b", gauge, std::string(96, 'h')), Error);
  for (int i = 2; i < 16; ++i) counters.counter("c" + std::to_string(i), counter, "");
  CHECK_THROWS_WITH(counters.counter("d", counter, ""),
                    "counter 'd' is one too many: there are places for 16");
}
