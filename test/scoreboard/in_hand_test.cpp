// SPDX-License-Identifier: MIT
#include "scoreboard/in_hand.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

using brood::InHand;
using brood::Seat;

TEST_CASE("the oldest is the oldest, whoever leaves") {
  InHand in_hand;
  CHECK(in_hand.count() == 0);
  CHECK(in_hand.oldest() == InHand::nobody);
  const Seat first = in_hand.add(1), second = in_hand.add(2), third = in_hand.add(3);
  CHECK(in_hand.count() == 3);
  CHECK(in_hand.oldest() == first);
  in_hand.remove(second);
  CHECK(in_hand.oldest() == first);
  in_hand.remove(first);
  CHECK(in_hand.oldest() == third);
  CHECK(in_hand[third].since == 3);
  in_hand.remove(third);
  CHECK(in_hand.oldest() == InHand::nobody);
  CHECK(in_hand.count() == 0);
}

TEST_CASE("seats are used again, and a newcomer on an old seat is the newest") {
  InHand in_hand;
  const Seat first = in_hand.add(1), second = in_hand.add(2);
  CHECK(first == 0);
  CHECK(second == 1);
  in_hand.remove(first);
  CHECK(in_hand.add(3) == first);
  CHECK(in_hand.oldest() == second);
  in_hand.remove(second);
  CHECK(in_hand.oldest() == first);
  CHECK(in_hand[first].since == 3);
}

TEST_CASE("against a list that is plainly right, at random") {
  InHand in_hand;
  std::vector<Seat> in_order;
  std::minstd_rand random(1);
  std::size_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (in_order.empty() || random() % 100 < (i / 1000 % 2 == 0 ? 60U : 40U)) {
      const Seat seat = in_hand.add(i);
      CHECK(std::find(in_order.begin(), in_order.end(), seat) == in_order.end());
      in_order.push_back(seat);
    } else {
      const auto gone = in_order.begin() + static_cast<std::ptrdiff_t>(random() % in_order.size());
      in_hand.remove(*gone);
      in_order.erase(gone);
    }
    most = std::max(most, in_order.size());
    REQUIRE(in_hand.count() == in_order.size());
    REQUIRE(in_hand.oldest() == (in_order.empty() ? InHand::nobody : in_order.front()));
  }
  for (const Seat seat : in_order) CHECK(seat < most);  // no seat beyond what there ever was at once
}
