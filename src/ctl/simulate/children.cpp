// SPDX-License-Identifier: MIT
#include "ctl/simulate/children.hpp"

#include <algorithm>
#include <tuple>

namespace brood::ctl {
namespace {

using Phase = SimulatedChild::Phase;

// As for children that report (parent/child_kind.cpp).
constexpr std::chrono::seconds proof_time{1};

bool serves(const SimulatedChild& child) {
  return !child.told && (child.phase == Phase::idle || child.phase == Phase::busy);
}

}  // namespace

// `sign`: 1, or -1 modulo 2^32.
void Children::count(const SimulatedChild& child, unsigned sign) {
  if (child.phase == Phase::gone) return;
  counts_.total += sign;
  if (child.phase == Phase::busy) counts_.busy += sign;
  if (child.told) {
    counts_.leaving += sign;
    if (child.leaves_long) counts_.leaving_long += sign;
    return;
  }
  if (child.phase == Phase::starting) {
    counts_.starting += sign;
    if (child.replacement) counts_.replacements_starting += sign;
    return;
  }
  const bool idle = child.phase == Phase::idle;
  if (idle) counts_.idle += sign;
  if (child.outdated) (idle ? counts_.outdated_idle : counts_.outdated_busy) += sign;
  if (!child.proven) counts_.unproven += sign;
  if (child.replacement) (child.proven ? counts_.replacements_proven : counts_.replacements_unproven) += sign;
}

ChildId Children::start(bool replacement) {
  all_.push_back({.replacement = replacement});
  count(all_.back(), 1);
  return static_cast<ChildId>(all_.size() - 1);
}

void Children::become_ready(ChildId id) {
  change(id, [](SimulatedChild& child) {
    child.phase = Phase::idle;
    ++child.turns;
  });
  idle_.push_back({id, all_[id].turns});
  fresh_.push_back(id);
  if (all_[id].replacement) replacements_.push_back(id);
}

std::optional<ChildId> Children::accept(Time arrived_at, Time now) {
  for (; !idle_.empty(); idle_.pop_front()) {
    if (!still_idle(idle_.front())) continue;
    const ChildId id = idle_.front().id;
    idle_.pop_front();
    change(id, [&](SimulatedChild& child) {
      child.phase = Phase::busy;
      child.busy_since = now;
      child.arrived_at = arrived_at;
      ++child.accepted;
    });
    return id;
  }
  return {};
}

void Children::finish(ChildId id) {
  change(id, [](SimulatedChild& child) {
    child.phase = Phase::idle;
    ++child.finished;
    ++child.turns;
  });
  const SimulatedChild& child = all_[id];
  if (!child.told) idle_.push_back({id, child.turns});
  if (child.finished == 1 && !child.proven) first_finished_.push_back(id);
}

void Children::outdate(ChildId id) {
  if (all_[id].outdated || all_[id].phase == Phase::gone) return;
  change(id, [](SimulatedChild& child) { child.outdated = true; });
  outdated_.push_back(id);
}

void Children::tell_to_leave(ChildId id, Time now) {
  change(id, [&](SimulatedChild& child) {
    child.told = true;
    child.told_at = now;
  });
  if (all_[id].phase == Phase::busy) told_busy_.push_back(id);
}

void Children::end(ChildId id) {
  change(id, [](SimulatedChild& child) { child.phase = Phase::gone; });
}

bool Children::note_progress(Time now) {
  bool proved = false;
  const auto prove = [&](ChildId id) {
    if (all_[id].proven) return;
    change(id, [](SimulatedChild& child) { child.proven = true; });
    proved = true;
  };
  for (; !fresh_.empty(); fresh_.pop_front()) {
    all_[fresh_.front()].ready_at = now;
    unproven_.push_back(fresh_.front());
  }
  for (; !first_finished_.empty(); first_finished_.pop_front()) prove(first_finished_.front());
  for (; !unproven_.empty(); unproven_.pop_front()) {
    const SimulatedChild& child = all_[unproven_.front()];
    if (child.phase == Phase::gone || child.proven) continue;
    if (now < child.ready_at + proof_time) break;
    prove(unproven_.front());
  }
  return proved;
}

Census Children::census(bool trusts, Time now) {
  for (; !told_busy_.empty(); told_busy_.pop_front()) {
    const ChildId id = told_busy_.front();
    if (all_[id].phase != Phase::busy) continue;
    if (now < all_[id].told_at + leaving_patience) break;
    change(id, [](SimulatedChild& child) { child.leaves_long = true; });
  }
  Census census{.total = counts_.total,
                .starting = counts_.starting,
                .idle = counts_.idle,
                .leaving = counts_.leaving,
                .leaving_long = counts_.leaving_long,
                .outdated_idle = counts_.outdated_idle,
                .outdated_busy = counts_.outdated_busy,
                .replacements_starting = counts_.replacements_starting,
                .replacements_ready = counts_.replacements_proven,
                .unproven = trusts ? 0 : counts_.unproven};
  (trusts ? census.replacements_ready : census.replacements_starting) += counts_.replacements_unproven;
  if (!unproven_.empty()) census.next_change = all_[unproven_.front()].ready_at + proof_time;
  if (!told_busy_.empty())
    census.next_change = std::min(census.next_change, all_[told_busy_.front()].told_at + leaving_patience);
  return census;
}

std::vector<ChildId> Children::surplus(unsigned number) {
  if (number == 0) return {};
  std::erase_if(idle_, [&](const Turn& turn) { return !still_idle(turn); });
  std::vector<ChildId> able;
  for (const Turn& turn : idle_) able.push_back(turn.id);
  number = std::min<unsigned>(number, static_cast<unsigned>(able.size()));
  const auto first = [&](ChildId a, ChildId b) {
    return std::tuple(all_[b].outdated, all_[b].accepted, a) <
           std::tuple(all_[a].outdated, all_[a].accepted, b);
  };
  std::ranges::partial_sort(able, able.begin() + number, first);
  able.resize(number);
  return able;
}

std::vector<ChildId> Children::outdated(unsigned number) {
  if (number == 0) return {};
  std::erase_if(outdated_, [&](ChildId id) { return all_[id].phase == Phase::gone || all_[id].told; });
  number = std::min<unsigned>(number, static_cast<unsigned>(outdated_.size()));
  const auto rank = [&](ChildId id) {
    const SimulatedChild& child = all_[id];
    const bool idle = child.phase == Phase::idle;
    return std::tuple(serves(child), idle, idle ? Time{} : child.busy_since, child.accepted);
  };
  std::ranges::partial_sort(outdated_, outdated_.begin() + number,
                            [&](ChildId a, ChildId b) { return rank(b) < rank(a); });
  return {outdated_.begin(), outdated_.begin() + number};
}

void Children::end_replacements(unsigned number, bool trusts) {
  std::erase_if(replacements_, [&](ChildId id) {
    if (!serves(all_[id])) return true;
    if (number == 0 || all_[id].outdated || (!trusts && !all_[id].proven)) return false;
    change(id, [](SimulatedChild& child) { child.replacement = false; });
    --number;
    return true;
  });
}

}  // namespace brood::ctl
