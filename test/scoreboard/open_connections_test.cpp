// SPDX-License-Identifier: MIT
#include "scoreboard/open_connections.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

using brood::ConnectionId;
using brood::OpenConnections;

TEST_CASE("the oldest stays the oldest, whichever connection ends") {
  OpenConnections open_connections;
  CHECK(open_connections.count() == 0);
  CHECK(open_connections.oldest() == OpenConnections::none);
  const ConnectionId first = open_connections.add(1), second = open_connections.add(2),
                     third = open_connections.add(3);
  CHECK(open_connections.count() == 3);
  CHECK(open_connections.oldest() == first);
  open_connections.remove(second);
  CHECK(open_connections.oldest() == first);
  open_connections.remove(first);
  CHECK(open_connections.oldest() == third);
  CHECK(open_connections[third].since == 3);
  open_connections.remove(third);
  CHECK(open_connections.oldest() == OpenConnections::none);
  CHECK(open_connections.count() == 0);
}

TEST_CASE("ids are used again, and a new connection with an old id is the newest") {
  OpenConnections open_connections;
  const ConnectionId first = open_connections.add(1), second = open_connections.add(2);
  CHECK(first == 0);
  CHECK(second == 1);
  open_connections.remove(first);
  CHECK(open_connections.add(3) == first);
  CHECK(open_connections.oldest() == second);
  open_connections.remove(second);
  CHECK(open_connections.oldest() == first);
  CHECK(open_connections[first].since == 3);
}

TEST_CASE("at random, compared with a simple list") {
  OpenConnections open_connections;
  std::vector<ConnectionId> in_order;
  std::minstd_rand random(1);
  std::size_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (in_order.empty() || random() % 100 < (i / 1000 % 2 == 0 ? 60U : 40U)) {
      const ConnectionId id = open_connections.add(i);
      CHECK(std::find(in_order.begin(), in_order.end(), id) == in_order.end());
      in_order.push_back(id);
    } else {
      const auto gone = in_order.begin() + static_cast<std::ptrdiff_t>(random() % in_order.size());
      open_connections.remove(*gone);
      in_order.erase(gone);
    }
    most = std::max(most, in_order.size());
    REQUIRE(open_connections.count() == in_order.size());
    REQUIRE(open_connections.oldest() == (in_order.empty() ? OpenConnections::none : in_order.front()));
  }
  for (const ConnectionId id : in_order)
    CHECK(id < most);  // no more ids than connections were ever open at once
}
