// SPDX-License-Identifier: MIT
// What one scan of a service's rows finds.
#include "pool/census.hpp"

#include <doctest/doctest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <csignal>

#include "forked.hpp"

using namespace std::chrono_literals;
using namespace brood;

namespace {

constexpr std::uint32_t present_generation = 3;
const Time long_ago = Clock::now() - 60s;
const Time scanned = long_ago + 10s;

// Children whose rows say what a test wants.
class CountedChildren {
 public:
  Slot& add(Phase phase, bool idle = false, unsigned open_connections = 0, ChildRecord record = {}) {
    const std::uint32_t slot = next_++;
    record.pid = 1000;
    if (record.generation == 0) record.generation = present_generation;
    if (record.forked_at == Time{}) record.forked_at = long_ago;
    children_[slot] = record;
    Slot& row = scoreboard_.slot(slot);
    row.lifecycle.store(Lifecycle{.phase = phase}.pack());
    row.since.store(to_nanoseconds(record.forked_at));
    row.capacity.store(2);
    row.open_connections.store(open_connections);
    scoreboard_.set_idle(slot, idle);
    scoreboard_.set_counted(slot, !record.stopped && !record.told_to_leave);
    return row;
  }
  void last_becomes_ready() const { scoreboard_.serve(next_ - 1, children_[next_ - 1].pid, 1); }
  bool last_has_finished_one() const { return rows_.has_finished_one(next_ - 1, scanned); }
  ChildCensus count(CensusRules rules = {}) const {
    rules.generation = present_generation;
    return count_children(scoreboard_, rows_, children_, rules, scanned);
  }

 private:
  const Scoreboard scoreboard_{"", ServerFacts::of_this_process("test"), "only", 64};
  ChildTable children_{64};
  const ChildRows rows_{scoreboard_, children_};
  std::uint32_t next_ = 0;
};

// Runs `body` in another process, and `look` after each of its instructions. False: nobody may do that here,
// as in a container that forbids ptrace(2).
bool step_by_step(const std::function<void()>& body, const std::function<void()>& look) {
  constexpr int forbidden = 99;
  const pid_t pid = forked([&] {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(forbidden);
    ::raise(SIGSTOP);
    body();
  });
  int status = status_of(pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == forbidden) return false;
  while (WIFSTOPPED(status)) {
    look();
    REQUIRE(::ptrace(PTRACE_SINGLESTEP, pid, nullptr, nullptr) == 0);
    status = status_of(pid);
  }
  return true;
}

}  // namespace

TEST_CASE("census: each child is counted for what it is") {
  CountedChildren children;
  children.add(Phase::starting);
  children.add(Phase::serving, true);
  children.add(Phase::serving, true, 1);
  children.add(Phase::serving, false, 2);
  children.add(Phase::serving, true, 0, {.stopped = true});
  children.add(Phase::serving, true, 0, {.told_to_leave = true});
  children.add(Phase::serving, false, 1, {.told_to_leave = true, .leaving_since = scanned});
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
  CHECK(found.counts.leaving_long == 0);
  CHECK(found.counts.unproven == 0);
  CHECK(found.counts.outdated_idle == 1);
  CHECK(found.counts.outdated_busy == 1);
}

TEST_CASE("census: a child that becomes ready is starting or idle at each moment") {
  CountedChildren children;
  children.add(Phase::starting);
  unsigned looks = 0, neither = 0;
  const bool possible = step_by_step([&] { children.last_becomes_ready(); },
                                     [&] {
                                       const Census counts = children.count().counts;
                                       ++looks;
                                       if (counts.starting + counts.idle != 1) ++neither;
                                     });
  if (!possible) {
    MESSAGE("skipped: this process may not trace another");
    return;
  }
  CHECK(looks > 10);
  CHECK(neither == 0);
  CHECK(children.count().counts.idle == 1);
}

TEST_CASE("census: a child that keeps its connection for long after it was told to leave is not waited for") {
  CountedChildren children;
  children.add(Phase::serving, false, 1, {.told_to_leave = true, .leaving_since = scanned - 4s});
  CHECK(children.count().counts.leaving_long == 0);
  CHECK(children.count().counts.next_change == scanned - 4s + leaving_patience);
  children.add(Phase::serving, false, 1,
               {.told_to_leave = true, .leaving_since = scanned - leaving_patience});
  children.add(Phase::leaving, false, 0, {.told_to_leave = true, .escalation = Escalation::lost});
  children.add(Phase::serving, true, 0, {.told_to_leave = true, .leaving_since = scanned - 60s});
  CHECK(children.count().counts.leaving == 4);
  CHECK(children.count().counts.leaving_long == 2);
}

TEST_CASE("census: a replacement that may still fail is not ready") {
  CountedChildren children;
  children.add(Phase::serving, true, 0, {.ready_at = scanned - 2s, .replacement = true});
  children.add(Phase::serving, true, 0, {.ready_at = scanned - 7s, .replacement = true});
  children.add(Phase::serving, true, 0, {.ready_at = scanned, .proven = true, .replacement = true});
  children.add(Phase::starting, false, 0, {.replacement = true});
  CHECK(children.count().counts.replacements_ready == 3);
  CHECK(children.count().counts.replacements_starting == 1);
  CHECK(children.count().counts.unproven == 0);
  const Census counts = children.count({.counts_after = 5s}).counts;
  CHECK(counts.replacements_ready == 2);
  CHECK(counts.replacements_starting == 2);
  CHECK(counts.unproven == 1);
  CHECK(counts.next_change == scanned + 3s);
  CHECK(children.count({.proven_after = 8s}).counts.next_change == scanned + 1s);
}

TEST_CASE("census: a child that is too old is outdated, and the next one is known") {
  CountedChildren children;
  children.add(Phase::serving, true, 0, {.forked_at = scanned - 3s});
  children.add(Phase::serving, true, 0, {.forked_at = scanned - 2s});
  children.add(Phase::serving, true, 0, {.forked_at = scanned - 9s, .expired = true});
  CHECK(children.count().next_expiry == never);
  const ChildCensus found = children.count({.max_lifetime = 5s});
  CHECK(found.next_expiry == scanned + 2s);
  CHECK(found.counts.outdated_idle == 1);
}

TEST_CASE("census: a replacement that a reload has overtaken replaces nobody") {
  CountedChildren children;
  children.add(Phase::serving, true, 0,
               {.generation = present_generation - 1, .ready_at = scanned, .replacement = true});
  children.add(Phase::starting, false, 0, {.generation = present_generation - 1, .replacement = true});
  const Census counts = children.count().counts;
  CHECK(counts.replacements_ready == 0);
  CHECK(counts.replacements_starting == 0);
  CHECK(counts.outdated_idle == 1);
  CHECK(counts.outdated_replacements == 1);
  CHECK(counts.starting == 1);
}

TEST_CASE("census: what a child of its age can't have done is no proof of anything") {
  CountedChildren children;
  constexpr std::uint64_t all = ~std::uint64_t{0};
  struct {
    std::uint64_t accepted, finished;
    bool proof;
  } const rows[] = {{0, 0, false}, {1, 0, false}, {1, 1, true},
                    {5, 4, true},  {4, 5, false}, {all, all, false}};
  for (const auto& [accepted, finished, proof] : rows) {
    CAPTURE(finished);
    Slot& row = children.add(Phase::serving);
    row.figures.accepted.store(accepted);
    row.figures.finished.store(finished);
    CHECK(children.last_has_finished_one() == proof);
  }
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
