// SPDX-License-Identifier: MIT
// A slot whose child has room for several connections: its idle bit, its row, and when the parent is woken.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

#include "brood/descriptor.hpp"
#include "brood/snapshot.hpp"
#include "scoreboard/child_slot.hpp"

using namespace brood;

namespace {

struct Table {
  std::string path = std::string("/tmp/brood-test-room-") + std::to_string(::getpid()) + ".scoreboard";
  std::array<ServiceShape, 1> shapes = {{{"only", 64}}};
  Scoreboard scoreboard{path, "test", shapes};
  Descriptor wake{::eventfd(0, EFD_NONBLOCK)};

  ~Table() { ::unlink(path.c_str()); }

  ChildSlot serving(std::uint32_t slot, ChildSlot::Capacity capacity) {
    scoreboard.claim(slot, 1, Clock::now());
    scoreboard.writable_slot_orders(slot).pid.store(static_cast<int>(1000 + slot));
    scoreboard.service_orders(0).generation.store(1);
    ChildSlot child(scoreboard, 0, slot, wake.get(), capacity);
    child.ready();
    woken();
    return child;
  }
  std::uint64_t woken() {
    std::uint64_t count = 0;
    if (::read(wake.get(), &count, sizeof count) < 0) count = 0;
    scoreboard.service_gossip(0).wake.store(0);
    return count;
  }
  void thresholds(std::uint32_t below, std::uint32_t above) {
    scoreboard.service_orders(0).wake_below.store(below);
    scoreboard.service_orders(0).wake_above.store(above);
  }
  ServiceSnapshot look() const { return Snapshot::read(path).services.at(0); }
};

sockaddr_storage peer(std::uint16_t port) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return storage;
}

}  // namespace

TEST_CASE("a child is a spare until it is full, and one again below") {
  Table table;
  ChildSlot child = table.serving(0, {.connections = 3});
  CHECK(table.look().slots[0].capacity == 3);
  const ConnectionId first = child.accepted(peer(1), 0);
  CHECK(table.scoreboard.is_idle(0));
  child.accepted(peer(2), 0);
  CHECK(table.scoreboard.is_idle(0));
  CHECK_FALSE(child.full());
  child.accepted(peer(3), 0);
  CHECK(child.full());
  CHECK_FALSE(table.scoreboard.is_idle(0));
  CHECK(table.look().spare == 0);
  CHECK(table.look().open_connections == 3);
  child.finished(first, false, 0, 0);
  CHECK(table.scoreboard.is_idle(0));
  CHECK(table.look().spare == 1);
  CHECK(table.look().open_connections == 2);
  // After the order to leave it is no spare, even if it finishes connections.
  const ConnectionId again = child.accepted(peer(4), 0);
  CHECK_FALSE(table.scoreboard.is_idle(0));
  table.scoreboard.writable_slot_orders(0).order.store(Order::leave);
  child.finished(again, false, 0, 0);
  CHECK_FALSE(table.scoreboard.is_idle(0));
  CHECK(table.scoreboard.free(0, 0) == 2);
  CHECK(table.look().total.aborted == 2);
}

TEST_CASE("the row shows the oldest connection and its note") {
  Table table;
  ChildSlot child = table.serving(0, {.connections = 4});
  const auto shows = [&](const std::string& from, const std::string& note) {
    const SlotSnapshot row = table.look().slots[0];
    CHECK(row.peer == "127.0.0.1:" + from);
    CHECK(row.note == note);
  };
  const ConnectionId first = child.accepted(peer(1), 0);
  child.note(first, "one");
  const ConnectionId second = child.accepted(peer(2), 0);
  child.note(second, "two");
  const ConnectionId third = child.accepted(peer(3), 0);
  shows("1", "one");
  child.finished(second, false, 0, 0);
  shows("1", "one");
  child.finished(first, false, 0, 0);
  shows("3", "");
  child.note(third, "three");
  shows("3", "three");
  const ConnectionId fourth = child.accepted(peer(4), 0);  // on the id of another one, with its note
  child.finished(third, false, 0, 0);
  shows("4", "");
  const std::string longest(note_size, 'n');
  child.note(fourth, longest + "cut");
  shows("4", longest);
}

TEST_CASE(
    "the parent is woken by a first open connection, by the last one that fits, and by a child with none "
    "left") {
  Table table;
  ChildSlot child = table.serving(0, {.connections = 3});
  ChildSlot other = table.serving(1, {.connections = 3});
  table.thresholds(UINT32_MAX,
                   UINT32_MAX);  // as connection-timeout sets them: every child that becomes busy wakes
  std::array<ConnectionId, 3> ids{};
  ids[0] = child.accepted(peer(1), 0);
  CHECK(table.woken() == 1);
  ids[1] = child.accepted(peer(2), 0);
  CHECK(table.woken() == 0);
  ids[2] = child.accepted(peer(3), 0);  // full
  CHECK(table.woken() == 1);

  table.thresholds(0, 1);
  child.finished(ids[0], false, 0, 0);  // a spare again: two are above one
  CHECK(table.woken() == 1);
  child.finished(ids[1], false, 0, 0);
  CHECK(table.woken() == 0);
  child.finished(ids[2], false, 0, 0);  // it may be sent away now
  CHECK(table.woken() == 1);

  table.thresholds(2, UINT32_MAX);
  for (int i = 0; i < 2; ++i) child.accepted(peer(1), 0);  // two spares: enough
  CHECK(table.woken() == 0);
  child.accepted(peer(1), 0);
  CHECK(table.woken() == 1);
}

TEST_CASE("several threads of a child: each row is whole, the bit follows, and the sums hold") {
  Table table;
  ChildSlot child = table.serving(0, {.connections = 4, .threads = true});
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (unsigned n = 1; !stop; ++n) {
        const ConnectionId id = child.accepted(peer(static_cast<std::uint16_t>(i + 1)), i + 1);
        child.note(id, std::to_string(i + 1));
        child.finished(id, n % 3 == 0, 1, 2);
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
