// SPDX-License-Identifier: MIT
// A slot whose child has room for several connections: its idle bit, its row, and when the parent is woken.
#include <doctest/doctest.h>

#include <array>
#include <thread>
#include <vector>

#include "test_table.hpp"

using namespace brood;

TEST_CASE("a child is a spare until it is full, and one again below") {
  TestTable table;
  ChildSlot child = table.serving(0, {.connections = 3});
  CHECK(table.look().slots[0].capacity == 3);
  const ConnectionId first = child.accepted(loopback_peer(1), 0);
  CHECK(table.scoreboard.is_idle(0));
  child.accepted(loopback_peer(2), 0);
  CHECK(table.scoreboard.is_idle(0));
  CHECK_FALSE(child.full());
  child.accepted(loopback_peer(3), 0);
  CHECK(child.full());
  CHECK_FALSE(table.scoreboard.is_idle(0));
  CHECK(table.look().spare == 0);
  CHECK(table.look().open_connections == 3);
  child.finished(first, Outcome::served, 0, 0);
  CHECK(table.scoreboard.is_idle(0));
  CHECK(table.look().spare == 1);
  CHECK(table.look().open_connections == 2);
  // After the order to leave it is no spare, even if it finishes connections.
  const ConnectionId again = child.accepted(loopback_peer(4), 0);
  CHECK_FALSE(table.scoreboard.is_idle(0));
  table.scoreboard.writable_slot_orders(0).order.store(Order::leave);
  child.finished(again, Outcome::served, 0, 0);
  CHECK_FALSE(table.scoreboard.is_idle(0));
  CHECK(table.scoreboard.free(0) == 2);
  CHECK(table.look().total.aborted == 2);
}

TEST_CASE("the row shows the oldest connection and its note") {
  TestTable table;
  ChildSlot child = table.serving(0, {.connections = 4});
  const auto shows = [&](const std::string& from, const std::string& note) {
    const SlotSnapshot row = table.look().slots[0];
    CHECK(row.peer == "127.0.0.1:" + from);
    CHECK(row.note == note);
  };
  const ConnectionId first = child.accepted(loopback_peer(1), 0);
  child.note(first, "one");
  const ConnectionId second = child.accepted(loopback_peer(2), 0);
  child.note(second, "two");
  const ConnectionId third = child.accepted(loopback_peer(3), 0);
  shows("1", "one");
  child.finished(second, Outcome::served, 0, 0);
  shows("1", "one");
  child.finished(first, Outcome::served, 0, 0);
  shows("3", "");
  child.note(third, "three");
  shows("3", "three");
  const ConnectionId fourth = child.accepted(loopback_peer(4), 0);  // on the id of another one, with its note
  child.finished(third, Outcome::served, 0, 0);
  shows("4", "");
  const std::string longest(note_size, 'n');
  child.note(fourth, longest + "cut");
  shows("4", longest);
}

TEST_CASE(
    "the parent is woken by a first open connection, by the last one that fits, and by a child with none "
    "left") {
  TestTable table;
  ChildSlot child = table.serving(0, {.connections = 3});
  ChildSlot other = table.serving(1, {.connections = 3});
  table.thresholds(UINT32_MAX,
                   UINT32_MAX);  // as connection-timeout sets them: every child that becomes busy wakes
  std::array<ConnectionId, 3> ids{};
  ids[0] = child.accepted(loopback_peer(1), 0);
  CHECK(table.woken() == 1);
  ids[1] = child.accepted(loopback_peer(2), 0);
  CHECK(table.woken() == 0);
  ids[2] = child.accepted(loopback_peer(3), 0);  // full
  CHECK(table.woken() == 1);

  table.thresholds(0, 1);
  child.finished(ids[0], Outcome::served, 0, 0);  // a spare again: two are above one
  CHECK(table.woken() == 1);
  child.finished(ids[1], Outcome::served, 0, 0);
  CHECK(table.woken() == 0);
  child.finished(ids[2], Outcome::served, 0, 0);  // it may be sent away now
  CHECK(table.woken() == 1);

  table.thresholds(2, UINT32_MAX);
  for (int i = 0; i < 2; ++i) child.accepted(loopback_peer(1), 0);  // two spares: enough
  CHECK(table.woken() == 0);
  child.accepted(loopback_peer(1), 0);
  CHECK(table.woken() == 1);
}

TEST_CASE("several threads of a child: each row is whole, the bit follows, and the sums hold") {
  TestTable table;
  ChildSlot child = table.serving(0, {.connections = 4, .threads = true});
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (unsigned n = 1; !stop; ++n) {
        const ConnectionId id = child.accepted(loopback_peer(static_cast<std::uint16_t>(i + 1)), i + 1);
        child.note(id, std::to_string(i + 1));
        child.finished(id, n % 3 == 0 ? Outcome::failed : Outcome::served, 1, 2);
      }
    });
  for (int i = 0; i < 300; ++i) {
    const SlotSnapshot row = table.look().slots[0];
    if (row.torn || row.open_connections == 0) continue;
    CHECK(row.open_connections <= 4);
    CHECK(row.peer == "127.0.0.1:" + std::to_string(row.listener));
    CHECK((row.note.empty() || row.note == std::to_string(row.listener)));
    CHECK(row.figures.accepted == row.figures.finished + row.open_connections);
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  const ServiceSnapshot last = table.look();
  CHECK(last.open_connections == 0);
  CHECK(last.total.accepted == last.total.finished);
  CHECK(last.total.bytes_written == 2 * last.total.finished);
  CHECK(table.scoreboard.is_idle(0));
}
