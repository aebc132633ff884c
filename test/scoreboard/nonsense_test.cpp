// SPDX-License-Identifier: MIT
// What readers make of a table over which a child has written: any bytes, and the largest and smallest
// numbers.
#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <vector>

#include "scoreboard/slot_reader.hpp"
#include "test_table.hpp"

using namespace brood;

namespace {

// Words of one pattern: random, or all the same.
std::vector<std::uint64_t> words(std::size_t bytes, std::uint64_t seed) {
  constexpr std::uint64_t same[] = {0, UINT64_MAX, INT64_MAX, std::uint64_t{1} << 63, UINT32_MAX, 1};
  std::vector<std::uint64_t> all(bytes / sizeof(std::uint64_t));
  std::mt19937_64 random(seed);
  for (auto& word : all) word = seed < std::size(same) ? same[seed] : random();
  return all;
}

// What the child's own row keeps: it says which words are a lifecycle, a seqlock at rest, a pid.
void write_over(Slot& row, std::uint64_t seed) {
  const auto nonsense = words(sizeof(Slot), seed);
  const auto lifecycle = row.lifecycle.load();
  std::memcpy(static_cast<void*>(&row), nonsense.data(), sizeof row);
  row.lifecycle.store(lifecycle);
  row.sequence.store(row.sequence.load() & ~1U);
}

}  // namespace

TEST_CASE("a table of nonsense can be read") {
  TestTable table;
  const ChildSlot reader = table.serving(0), first = table.serving(1), second = table.serving(2);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    write_over(table.scoreboard.slot(1), seed);
    write_over(table.scoreboard.slot(2), seed < 100 ? seed : seed + 1);
    const ServiceSnapshot service = table.look();
    CHECK(service.total.duration >= std::chrono::microseconds(0));
    for (const double share : {0.0, 0.5, 0.99, 1.0}) CHECK(service.total.latency_at(share).count() >= 0);
    CHECK(reader.look_at_pool().duration >= std::chrono::microseconds(0));
  }
}

TEST_CASE("of a child that has written nonsense nothing is added up") {
  const std::vector<Shared<std::uint64_t> Figures::*> fields = {
      &Figures::accepted,   &Figures::finished,      &Figures::failed,
      &Figures::peers_gone, &Figures::timed_out,     &Figures::probes,
      &Figures::bytes_read, &Figures::bytes_written, &Figures::duration};
  TestTable table;
  std::uint64_t mended = 0;
  const auto ends = [&](auto change) {
    ChildSlot child = table.serving(0);
    child.finished(child.accepted(loopback_peer(1), 0), Outcome::served, 3, 4, Clock::now());
    change(table.scoreboard.slot(0).figures);
    table.scoreboard.free(0);
    const ServiceSnapshot service = table.look();
    CHECK(service.repairs == ++mended);
    CHECK(service.total.accepted == 0);
    CHECK(service.total.finished == 0);
    CHECK(service.total.bytes_read == 0);
    CHECK(service.total.duration.count() == 0);
  };
  for (const auto field : fields) ends([&](Figures& figures) { (figures.*field).store(UINT64_MAX / 2); });
  ends([](Figures& figures) { figures.latency[3].store(1000); });
}

TEST_CASE("what a crash has left is read within bounds, and only that of the child itself") {
  TestTable table;
  const ChildSlot child = table.serving(1);
  const std::uint64_t incarnation = table.scoreboard.slot_orders(1).incarnation.load();
  CHECK(table.scoreboard.evidence_left(1).signal == 0);
  Evidence& left = table.scoreboard.evidence(1);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const auto nonsense = words(sizeof(Evidence), seed);
    std::memcpy(static_cast<void*>(&left), nonsense.data(), sizeof left);
    left.incarnation.store(incarnation);
    left.signal.store(11);
    const CrashEvidence evidence = table.scoreboard.evidence_left(1);
    CHECK(evidence.signal == 11);
    CHECK(evidence.stack.frames.size() <= Evidence::most_frames);
    CHECK(evidence.stack.modules.size() <= Evidence::most_modules);
    for (const StackFrame& frame : evidence.stack.frames)
      CHECK((frame.module == StackFrame::no_module || frame.module < evidence.stack.modules.size()));
    for (const StackModule& module : evidence.stack.modules) {
      CHECK(module.path.size() <= sizeof(Evidence::Module::path));
      CHECK(module.build_id.size() <= Evidence::build_id_size);
    }
    left.incarnation.store(incarnation + 1);
    CHECK(table.scoreboard.evidence_left(1).signal == 0);
    left.incarnation.store(incarnation);
    left.signal.store(seed % 2 == 0 ? -1 : 1000);
    CHECK(table.scoreboard.evidence_left(1).signal == 0);
  }
}
