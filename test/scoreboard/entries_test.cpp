// SPDX-License-Identifier: MIT
// Entries on the scoreboard for services that a reload adds and removes.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>

#include "brood/snapshot.hpp"
#include "scoreboard/scoreboard.hpp"

using namespace brood;

namespace {

struct Table {
  std::string path = std::string("/tmp/brood-test-") + std::to_string(::getpid()) + ".scoreboard";
  std::array<ServiceShape, 4> shapes = {{{"first", 128}, {"", 256}, {"", 64}, {"", 64}}};
  Scoreboard scoreboard{path, "test", shapes};

  ~Table() { ::unlink(path.c_str()); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& service : Snapshot::read(path).services) all.push_back(service.name);
    return all;
  }
};

}  // namespace

TEST_CASE("the smallest free entry that is large enough is taken, and readers see it when it is") {
  const Table table;
  CHECK(table.names() == std::vector<std::string>{"first"});
  CHECK(table.scoreboard.free_entry(1) == 2);
  CHECK(table.scoreboard.free_entry(65) == 1);
  CHECK_FALSE(table.scoreboard.free_entry(257));
  table.scoreboard.occupy(2, "second");
  table.scoreboard.occupy(3, "third");
  CHECK(table.names() == std::vector<std::string>{"first", "second", "third"});
  CHECK(table.scoreboard.free_entry(1) == 1);
  table.scoreboard.occupy(1, "fourth");
  CHECK_FALSE(table.scoreboard.free_entry(1));
}

TEST_CASE("a vacated entry is free, with its slots, and its figures are 0") {
  const Table table;
  ServiceOrders& first = table.scoreboard.service_orders(0);
  const auto first_slot = first.first_slot;
  first.gone.accepted.store(7);
  first.children_gone.store(3);
  first.lost.store(1);
  first.wake_below.store(5);
  first.wake_above.store(6);
  first.listeners[0] = 'x';
  table.scoreboard.vacate(0);
  CHECK(table.names().empty());
  CHECK(table.scoreboard.free_entry(100) == 0);
  table.scoreboard.occupy(0, "next");
  CHECK(first.first_slot == first_slot);
  CHECK(first.slot_count == 128);
  CHECK(first.wake_above.load() == UINT32_MAX);
  const ServiceSnapshot next = Snapshot::read(table.path).services.at(0);
  CHECK(next.name == "next");
  CHECK(next.total.accepted == 0);
  CHECK(next.children_gone == 0);
  CHECK(next.lost == 0);
  CHECK(next.listeners.empty());
  CHECK(next.slots.size() == 128);
}
