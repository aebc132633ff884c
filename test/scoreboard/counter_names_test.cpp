// SPDX-License-Identifier: MIT
#include "scoreboard/counter_names.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "test_table.hpp"

using namespace brood;

namespace {

std::int64_t shown(const ServiceSnapshot& service, const std::string& name) {
  const auto found =
      std::ranges::find_if(service.counters, [&](const auto& counter) { return counter.name == name; });
  REQUIRE(found != service.counters.end());
  return found->value;
}

}  // namespace

TEST_CASE("counters are summed over children and kept when a child goes, and gauges go with it") {
  TestTable table;
  ServiceOrders& orders = table.scoreboard.service_orders();
  publish_counters(orders,
                   std::vector<CounterDescription>{{"lines", "Lines.", false}, {"held", "Held.", true}});
  const auto lines = find_counter(orders, "lines", false), held = find_counter(orders, "held", true);
  REQUIRE((lines && held));
  ChildSlot one = table.serving(3);
  ChildSlot two = table.serving(70);
  table.scoreboard.slot(3).figures.own[*lines].store(5);
  table.scoreboard.slot(70).figures.own[*lines].store(6);
  table.scoreboard.slot(3).figures.own[*held].store(7);
  table.scoreboard.slot(70).figures.own[*held].store(static_cast<std::uint64_t>(-3));
  CHECK(shown(table.look(), "lines") == 11);
  CHECK(shown(table.look(), "held") == 4);
  CHECK(table.look().counters.at(0).help == "Lines.");
  CHECK(table.look().counters.at(1).gauge);

  table.scoreboard.free(3);
  CHECK(shown(table.look(), "lines") == 11);
  CHECK(shown(table.look(), "held") == -3);
  ChildSlot next = table.serving(3);
  CHECK(table.scoreboard.slot(3).figures.own[*lines].load() == 0);
  CHECK(shown(table.look(), "lines") == 11);
}

TEST_CASE("what a child can't have counted is left out, and counted as mended") {
  TestTable table;
  ServiceOrders& orders = table.scoreboard.service_orders();
  publish_counters(orders, std::vector<CounterDescription>{{"lines", "", false}});
  ChildSlot child = table.serving(3);
  table.scoreboard.slot(3).figures.own[0].store(UINT64_MAX - 5);
  const auto mended = orders.mended.load();
  table.scoreboard.free(3);
  CHECK(shown(table.look(), "lines") == 0);
  CHECK(orders.mended.load() == mended + 1);
}

TEST_CASE("in the next program a counter keeps its place and its sum, by its name") {
  TestTable table;
  ServiceOrders& orders = table.scoreboard.service_orders();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < most_counters; ++i) names.push_back("c" + std::to_string(i));
  std::vector<CounterDescription> all;
  for (const auto& name : names) all.push_back({.name = name});
  publish_counters(orders, all);
  for (std::size_t i = 0; i < most_counters; ++i) orders.gone.own[i].store(100 + i);

  // The same in another order, and one that is new for one that is not wanted any more.
  std::reverse(all.begin(), all.end());
  all[4] = {.name = "new"};  // c11
  publish_counters(orders, all);
  CHECK(shown(table.look(), "c0") == 100);
  CHECK(shown(table.look(), "c15") == 115);
  CHECK(find_counter(orders, "new", false) == 11);
  CHECK(shown(table.look(), "new") == 0);
  CHECK(!find_counter(orders, "c11", false));

  // One that has become a gauge is another one.
  all[0] = {.name = "c15", .gauge = true};
  publish_counters(orders, all);
  CHECK(shown(table.look(), "c15") == 0);
}

TEST_CASE("a counter that is not wanted any more keeps its place as long as there are others") {
  TestTable table;
  ServiceOrders& orders = table.scoreboard.service_orders();
  publish_counters(orders, std::vector<CounterDescription>{{"old", "", false}});
  publish_counters(orders, std::vector<CounterDescription>{{"new", "", false}});
  CHECK(find_counter(orders, "old", false) == 0);
  CHECK(find_counter(orders, "new", false) == 1);
}
