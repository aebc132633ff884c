// SPDX-License-Identifier: MIT
// What one scan of a service's rows finds.
#include "pool/census.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace std::chrono_literals;
using namespace brood;

namespace {

constexpr std::uint32_t present_generation = 3;
const Time forked = Clock::now() - 60s;
const Time scanned = forked + 10s;

// Children whose rows say what a test wants. It is the second service, so that rows are not slots.
class CountedChildren {
 public:
  Slot& add(Phase phase, bool idle = false, unsigned open_connections = 0, ChildRecord record = {}) {
    const std::uint32_t slot = next_++;
    record.pid = 1000;
    if (record.generation == 0) record.generation = present_generation;
    if (record.forked_at == Time{}) record.forked_at = forked;
    children_[slot] = record;
    Slot& row = scoreboard_.slot(rows_.row(slot));
    row.lifecycle.store(Lifecycle{.phase = phase}.pack());
    row.since.store(to_nanoseconds(record.forked_at));
    row.capacity.store(2);
    row.open_connections.store(open_connections);
    scoreboard_.set_idle(rows_.row(slot), idle);
    return row;
  }
  ChildCensus count(CensusRules rules = {}) const {
    rules.generation = present_generation;
    return count_children(scoreboard_, 1, rows_, children_, rules, scanned);
  }

 private:
  const std::array<ServiceShape, 2> shapes_ = {{{"first", 64}, {"second", 64}}};
  const Scoreboard scoreboard_{"", "test", shapes_};
  ChildTable children_{64};
  const ChildRows rows_{scoreboard_, 1, children_};
  std::uint32_t next_ = 0;
};

}  // namespace

TEST_CASE("census: each child is counted for what it is") {
  CountedChildren children;
  children.add(Phase::starting);
  children.add(Phase::serving, true);
  children.add(Phase::serving, true, 1);
  children.add(Phase::serving, false, 2);
  children.add(Phase::serving, true, 0, {.stopped = true});
  children.add(Phase::serving, true, 0, {.told_to_leave = true});
  children.add(Phase::serving, false, 1, {.told_to_leave = true});
  children.add(Phase::leaving);
  children.add(Phase::serving, false, 1, {.escalation = Escalation::aborted});
  children.add(Phase::serving, true, 0, {.generation = present_generation - 1});
  children.add(Phase::serving, false, 2, {.generation = present_generation - 1});
  const ChildCensus found = children.count();
  CHECK(found.counts.total == 11);
  CHECK(found.counts.starting == 1);
  CHECK(found.counts.idle == 3);
  CHECK(found.counts.idle_connected == 1);
  CHECK(found.counts.leaving == 3);
  CHECK(found.counts.leaving_idle == 1);
  CHECK(found.counts.outdated_idle == 1);
  CHECK(found.counts.outdated_busy == 1);
  CHECK(found.idle_bits == 5);
}

TEST_CASE("census: idle children expire, busy ones don't") {
  CountedChildren children;
  children.add(Phase::serving, true);
  children.add(Phase::serving, true, 1);
  children.add(Phase::serving, true, 0, {.forked_at = scanned - 2s});
  const Census counts = children.count({.idle_timeout = 5s}).counts;
  CHECK(counts.expired == 1);
  CHECK(counts.next_expiry == scanned + 3s);
  CHECK(children.count().counts.expired == 0);
  CHECK(children.count().counts.next_expiry == never);
}

TEST_CASE("census: a replacement that is too young still starts") {
  CountedChildren children;
  children.add(Phase::serving, true, 0, {.replacement = true});
  children.add(Phase::serving, true, 0, {.forked_at = scanned - 2s, .replacement = true});
  children.add(Phase::starting, false, 0, {.replacement = true});
  CHECK(children.count().counts.replacements_ready == 2);
  CHECK(children.count().counts.replacements_starting == 1);
  const Census counts = children.count({.replacement_age = 5s}).counts;
  CHECK(counts.replacements_ready == 1);
  CHECK(counts.replacements_starting == 2);
  CHECK(counts.next_ready == scanned + 3s);
}

TEST_CASE("census: proven is who has finished a connection, or has one and is old enough") {
  CountedChildren children;
  CHECK(children.count().proven == Time::min());
  Slot& first = children.add(Phase::serving);
  Slot& second = children.add(Phase::serving, false, 1, {.forked_at = forked + 1s});
  CHECK(children.count().proven == Time::min());
  CHECK(children.count({.proven_age = 9s, .age_is_proof = true}).proven == forked + 1s);
  CHECK(children.count({.proven_age = 10s, .age_is_proof = true}).proven == forked);
  second.figures.accepted.store(1);
  CHECK(children.count({.proven_age = 10s}).proven == Time::min());
  CHECK(children.count({.proven_age = 9s}).proven == forked + 1s);
  first.figures.accepted.store(4);
  first.figures.finished.store(3);
  CHECK(children.count({.proven_age = 10s}).proven == forked);
  CHECK(children.count().accepted == 5);
}

TEST_CASE("census: whether any child serves, and whether any accepts") {
  CountedChildren children;
  CHECK_FALSE(children.count().any_serving);
  CHECK_FALSE(children.count().any_accepts);
  children.add(Phase::serving, false, 2, {.told_to_leave = true});
  children.add(Phase::serving, false, 0, {.stopped = true});
  children.add(Phase::leaving);
  CHECK(children.count().any_serving);  // the stopped one
  CHECK_FALSE(children.count().any_accepts);
  children.add(Phase::serving, false, 1, {.told_to_leave = true, .leaving_since = scanned - 1s});
  CHECK(children.count().any_accepts);
  CHECK(children.count({.heard_before = scanned - 1s}).any_accepts);
  CHECK_FALSE(children.count({.heard_before = scanned}).any_accepts);
}
