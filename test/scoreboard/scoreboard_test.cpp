// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "test_table.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t slots = TestTable::slots;

struct Table : TestTable {
  ChildSlot child(std::uint32_t slot) { return {scoreboard, slot, {}}; }
  // A field of the header, which nothing changes in a server.
  template <typename T>
  void damage(std::size_t offset, T value) const {
    REQUIRE(::pwrite(scoreboard.descriptors().whole.get(), &value, sizeof value,
                     static_cast<off_t>(offset)) == sizeof value);
  }
};

sockaddr_storage peer() { return loopback_peer(4711); }

void check_sums(const ServiceSnapshot& service) {
  CHECK(service.empty + service.starting + service.idle + service.busy + service.leaving == slots);
  CHECK(service.total.accepted == service.total.finished + service.total.aborted + service.open_connections);
}

}  // namespace

namespace {
MappingDescriptors duplicates(const Scoreboard& scoreboard) {
  return {.whole = Descriptor(::dup(scoreboard.descriptors().whole.get())),
          .read_only = Descriptor(::dup(scoreboard.descriptors().read_only.get()))};
}
}  // namespace

TEST_CASE("a scoreboard that is handed over is the same one, and a child can't write orders on it") {
  Table table;
  ChildSlot child = table.serving(2);
  const Scoreboard parents(duplicates(table.scoreboard), new_event(), table.path, Side::parent);
  CHECK(parents.count_idle() == 1);
  ServerFacts facts = parents.server_facts();
  facts.log_epoch = 7;
  parents.publish(facts);
  CHECK(table.scoreboard.server().log_epoch.load() == 7);
  CHECK(table.scoreboard.server_facts().name == "test");
  const Scoreboard childs(duplicates(table.scoreboard), new_event(), table.path, Side::child);
  CHECK_FALSE(childs.descriptors().whole);
  const Mapping mapping(duplicates(table.scoreboard), table.path, table.scoreboard.header().gossip_offset,
                        Side::child);
  CHECK(mapping.writable_orders() == nullptr);
  childs.set_idle(2, false);
  CHECK(table.scoreboard.count_idle() == 0);
}

TEST_CASE("a scoreboard that is handed over is refused if it is none, or of another version") {
  Table table;
  const auto open = [&] {
    return Scoreboard(duplicates(table.scoreboard), new_event(), table.path, Side::parent);
  };
  table.damage(offsetof(Header, version), layout_version + 1);
  CHECK_THROWS_AS(open(), ConfigurationError);
  table.damage(offsetof(Header, version), layout_version);
  CHECK_NOTHROW(open());
  table.damage(offsetof(Header, slots), slots + 64);
  CHECK_THROWS_AS(open(), Error);
  table.damage(offsetof(Header, magic), 'x');
  CHECK_THROWS_AS(open(), Error);
}

TEST_CASE("a slot goes through its phases, and a reader outside sees each step") {
  Table table;
  CHECK(table.look().empty == slots);

  table.scoreboard.claim(3, 7, Clock::now());
  CHECK(table.look().empty == slots);  // there is no child yet
  table.scoreboard.writable_slot_orders(3).pid.store(4242);
  CHECK(table.look().starting == 1);

  ChildSlot child = table.child(3);
  child.ready();
  CHECK(table.look().idle == 1);
  CHECK(table.scoreboard.count_idle() == 1);

  child.accepted(peer(), 0);
  child.note(0, "GET /\n");
  ServiceSnapshot seen = table.look();
  CHECK(seen.busy == 1);
  CHECK(seen.slots[3].pid == 4242);
  CHECK(seen.slots[3].generation == 7);
  CHECK(seen.slots[3].incarnation == 1);
  CHECK(seen.slots[3].peer == "127.0.0.1:4711");
  CHECK(seen.slots[3].note == "GET /\\x0a");
  CHECK(seen.slots[3].busy_for > 0ns);
  CHECK(seen.slots[3].idle_for == 0ns);
  CHECK_FALSE(seen.slots[3].torn);
  check_sums(seen);

  child.finished(0, Outcome::failed, 10, 20);
  seen = table.look();
  CHECK(seen.idle == 1);
  CHECK(seen.total.finished == 1);
  CHECK(seen.total.failed == 1);
  CHECK(seen.total.bytes_read == 10);
  CHECK(seen.total.bytes_written == 20);

  child.ask(Reason::cap);
  CHECK(table.look().slots[3].asks);
  child.accepted(peer(), 0);
  child.leave(Reason::cap);
  CHECK(table.look().leaving == 1);
  CHECK(table.scoreboard.count_idle() == 0);

  CHECK(table.scoreboard.free(3) == 1);
  seen = table.look();
  CHECK(seen.empty == slots);
  CHECK(seen.total.accepted == 2);
  CHECK(seen.total.aborted == 1);
  CHECK(seen.children_gone == 1);
  check_sums(seen);

  table.scoreboard.claim(3, 8, Clock::now());
  CHECK(table.scoreboard.slot_orders(3).incarnation.load() == 2);
}

TEST_CASE("a child that serves is one that was started, also before the parent has counted it") {
  Table table;
  table.scoreboard.claim(3, 1, Clock::now());
  CHECK(table.look().children_started == 0);
  ChildSlot child = table.child(3);
  child.ready();
  CHECK(table.look().idle == 1);
  CHECK(table.look().children_started == 1);
  child.accepted(peer(), 0);
  CHECK(table.look().busy == 1);
  table.scoreboard.writable_slot_orders(3).pid.store(4242);
  table.scoreboard.service_orders().children_started.store(1);
  CHECK(table.look().busy == 1);
  CHECK(table.look().children_started == 1);
}

TEST_CASE("the parent is woken if a threshold is crossed, and not otherwise") {
  Table table;
  std::vector<ChildSlot> children;
  for (std::uint32_t i = 0; i < 4; ++i) children.push_back(table.serving(i));
  ServiceOrders& orders = table.scoreboard.service_orders();
  orders.wake_below.store(2);
  orders.wake_above.store(3);

  children[0].accepted(peer(), 0);  // 3 spares
  children[1].accepted(peer(), 0);  // 2
  CHECK(table.woken() == 0);
  children[2].accepted(peer(), 0);  // 1
  children[3].accepted(peer(), 0);  // 0: no flag says that the parent was woken already
  CHECK(table.woken() == 2);
  children[0].finished(0, Outcome::served, 0, 0);
  children[0].accepted(peer(), 0);
  CHECK(table.woken() == 1);
  for (int i : {0, 1, 2}) children[static_cast<std::size_t>(i)].finished(0, Outcome::served, 0, 0);  // 3
  CHECK(table.woken() == 0);
  children[3].finished(0, Outcome::served, 0, 0);  // 4
  CHECK(table.woken() == 1);

  orders.wake_below.store(0);
  orders.wake_above.store(UINT32_MAX);
  for (auto& child : children) child.accepted(peer(), 0);
  for (auto& child : children) child.finished(0, Outcome::served, 0, 0);
  CHECK(table.woken() == 0);
}

TEST_CASE("idle bits of slots without a child, or whose child is no spare, count for nothing") {
  Table table;
  for (std::uint32_t i = 0; i < 3; ++i) table.serving(i);
  for (std::uint32_t i = 3; i < slots; ++i) table.scoreboard.set_idle(i, true);
  CHECK(table.scoreboard.count_idle() == 3);
  table.scoreboard.set_counted(1, false);
  CHECK(table.scoreboard.count_idle() == 2);
  table.scoreboard.set_counted(1, true);
  CHECK(table.scoreboard.count_idle() == 3);
  table.scoreboard.free(0);
  CHECK(table.scoreboard.count_idle() == 2);
}

TEST_CASE("caps and generations are read from the parent's pages") {
  Table table;
  ChildSlot child = table.serving(0);
  CHECK_FALSE(child.at_cap());
  CHECK_FALSE(child.outdated());
  table.scoreboard.service_orders().max_requests_per_child.store(1);
  child.accepted(peer(), 0);
  CHECK(child.at_cap());
  table.scoreboard.service_orders().generation.store(2);
  CHECK(child.outdated());
  CHECK_FALSE(child.must_leave());
  table.scoreboard.writable_slot_orders(0).order.store(Order::leave);
  CHECK(child.must_leave());
}

TEST_CASE("a child cannot make the parent's pages writable") {
  Table table;
  table.scoreboard.give_up_orders();
  const auto* page = reinterpret_cast<const std::byte*>(&table.scoreboard.header());
  auto* address = const_cast<std::byte*>(page);
  CHECK(::mprotect(address, Mapping::page_size(), PROT_READ | PROT_WRITE) == -1);
  CHECK(errno == EACCES);
}

TEST_CASE("histograms: a share of the connections is under the end of its bucket") {
  FiguresSnapshot figures;
  CHECK(figures.latency_at(0.5) == 0us);
  figures.latency[3] = 90;  // 4 to 8 us
  figures.latency[10] = 10;
  CHECK(figures.latency_at(0.5) == 8us);
  CHECK(figures.latency_at(0.9) == 8us);
  CHECK(figures.latency_at(0.99) == 1024us);
}

TEST_CASE("a file that is not a scoreboard, or a damaged one, is refused") {
  Table table;
  const std::string copy = table.path + ".copy";
  std::ifstream in(table.path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto refused = [&](std::string content) {
    std::ofstream(copy, std::ios::binary) << content;
    CHECK_THROWS_AS(Snapshot::read(copy), Error);
  };
  refused("");
  refused("hello");
  refused(whole.substr(0, whole.size() / 2));
  std::string other = whole;
  other[0] = 'X';
  refused(other);
  other = whole;
  other[8] = 99;  // the version
  refused(other);
  other = whole;
  other[12] = 127;  // the number of slots
  refused(other);
  std::ofstream(copy, std::ios::binary) << whole;
  CHECK_NOTHROW(Snapshot::read(copy));
  ::unlink(copy.c_str());
  CHECK_THROWS_AS(Snapshot::read(copy), SystemError);
}

TEST_CASE("garbage in the children's pages reads as something in range") {
  Table table;
  table.serving(0);
  Slot& slot = table.scoreboard.slot(0);
  slot.lifecycle.store(0xffffffff);
  slot.pid.store(-1);
  slot.open_connections.store(UINT32_MAX);
  slot.since.store(INT64_MAX);
  slot.listener.store(UINT32_MAX);
  for (auto& word : slot.peer) word.store(UINT64_MAX);
  for (auto& word : slot.note) word.store(0x0a0a0a0a0a0a0a0a);
  slot.sequence.store(1);
  const ServiceSnapshot seen = table.look();
  CHECK(seen.slots[0].torn);
  CHECK(seen.slots[0].pid == 1000);
  CHECK(seen.slots[0].note.size() == note_size * 4);
}

TEST_CASE("many children at once: rows are read whole, and the sums hold") {
  Table table;
  std::vector<ChildSlot> children;
  constexpr std::uint32_t count = 8;
  for (std::uint32_t i = 0; i < count; ++i) children.push_back(table.serving(i));
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (auto& child : children)
    threads.emplace_back([&] {
      // A row that is whole has the same number in peer and note.
      for (unsigned i = 1; !stop; ++i) {
        sockaddr_storage from = peer();
        reinterpret_cast<sockaddr_in&>(from).sin_port = htons(static_cast<in_port_t>(i % 10000));
        child.accepted(from, i);
        child.finished(0, i % 3 == 0 ? Outcome::failed : Outcome::served, 1, 2);
        if (i % 64 == 0) child.ask(Reason::cap);
      }
    });
  for (int i = 0; i < 300; ++i) {
    const ServiceSnapshot seen = table.look();
    CHECK(seen.empty + seen.starting + seen.idle + seen.busy + seen.leaving == slots);
    for (const auto& slot : seen.slots) {
      if (slot.torn || slot.figures.accepted == 0) continue;
      CHECK(slot.peer == "127.0.0.1:" + std::to_string(slot.listener % 10000));
      CHECK(slot.figures.accepted == slot.figures.finished + slot.open_connections);
      CHECK(slot.figures.bytes_written == 2 * slot.figures.finished);
    }
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  check_sums(table.look());
  CHECK(table.scoreboard.count_idle() == count);
}

TEST_CASE("a reader finds no file, or a whole one" * doctest::test_suite("slow")) {
  const std::string path = "/tmp/brood-test-" + std::to_string(::getpid()) + ".whole";
  std::atomic<bool> done = false;
  std::atomic<unsigned> read = 0, not_whole = 0;
  std::thread reader([&] {
    while (!done) try {
        Snapshot::read(path);
        ++read;
      } catch (const SystemError&) {  // no file
      } catch (const Error&) {
        ++not_whole;
      }
  });
  for (int i = 0; i < 2000 || read == 0; ++i) {
    const Scoreboard scoreboard(path, ServerFacts::of_this_process("test"), "only", 64);
    scoreboard.remove_file();
  }
  done = true;
  reader.join();
  CHECK(not_whole == 0);
}
