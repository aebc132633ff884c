// SPDX-License-Identifier: MIT
// Upgrade in place of servers without clients: lines of a FIFO, and the ticks of a timer.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>

#include "triggered.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("each line that is written into a FIFO over upgrades is handled once") {
  Triggered triggered(pool(3));
  Writers writers(triggered, 100);
  for (unsigned i = 1; i <= 4; ++i) {
    REQUIRE(triggered.has_records(100 * i));
    triggered.server.signal(SIGUSR2);
    REQUIRE(eventually([&] { return triggered.server.count_in_log("info: upgraded: ") == i; }));
  }
  const std::size_t lines = writers.stop();
  CHECK(triggered.has_records(lines));
  CHECK(writers.check(triggered.records()) == lines);
  CHECK(std::filesystem::exists(triggered.path()));
}

TEST_CASE("a timer goes on over upgrades") {
  Triggered triggered(pool(2) + std::vector<std::string>{"--listen=timer:20ms"}, false);
  for (unsigned i = 1; i <= 3; ++i) {
    REQUIRE(triggered.has_records(triggered.records().size() + 3));
    triggered.server.signal(SIGUSR2);
    REQUIRE(eventually([&] { return triggered.server.count_in_log("info: upgraded: ") == i; }));
  }
  REQUIRE(triggered.has_records(triggered.records().size() + 3));
}
