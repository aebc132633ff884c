// SPDX-License-Identifier: MIT
#include "pool/census.hpp"

#include <algorithm>

namespace brood {
namespace {

void count_leaving(const ChildRecord& child, bool busy, Time now, Census& counts) {
  ++counts.leaving;
  const Time long_from = child.leaving_since + leaving_patience;
  if (child.escalation == Escalation::lost || (busy && now >= long_from))
    ++counts.leaving_long;
  else if (busy)
    counts.next_change = std::min(counts.next_change, long_from);
}

Time ready_at(const ChildRecord& child, Time now) { return child.ready_at == Time{} ? now : child.ready_at; }

Time next_proof(const ChildRecord& child, const CensusRules& rules, Time now) {
  Time next = never;
  if (child.proven) return next;
  for (const auto age : {rules.counts_after, rules.proven_after})
    if (const Time at = ready_at(child, now) + age; at > now) next = std::min(next, at);
  return next;
}

// Also those that were refused, or have not sent their PROXY header.
std::uint64_t taken_by(const Slot& row) {
  std::uint64_t taken = row.figures.accepted.load(relaxed) + row.not_accepted.probes.load(relaxed) +
                        row.not_accepted.refused.load(relaxed);
  for (const auto& refused : row.refused) taken += refused.load(relaxed);
  return taken;
}

// The parts of the census that the policy decides by. `phase`: of a child that has a slot; it was read before
// the idle bit, which a child that becomes ready sets before its phase. So such a child is starting or idle.
void count_for_policy(const ChildRows& rows, std::uint32_t slot, const ChildRecord& child, Phase phase,
                      const CensusRules& rules, Time now, Census& counts) {
  ++counts.total;
  const bool busy = rows.is_busy(slot);
  if (child.told_to_leave) return count_leaving(child, busy, now, counts);
  if (child.stopped || child.escalation != Escalation::none) return;
  if (phase == Phase::leaving) {
    ++counts.leaving;
    return;
  }
  const bool outdated = rows.outdated(slot, rules.generation);
  const bool present = child.generation == rules.generation;
  const bool replacement = child.replacement && present;
  if (phase != Phase::serving) {
    ++counts.starting;
    if (replacement) ++counts.replacements_starting;
    return;
  }
  const bool idle = rows.is_idle(slot);
  if (idle) ++counts.idle;
  if (idle && busy) ++counts.idle_connected;
  if (outdated) ++(idle ? counts.outdated_idle : counts.outdated_busy);
  if (!present) {
    if (child.replacement) ++counts.outdated_replacements;
    return;
  }
  const bool may_fail = may_still_fail(child, rules, now);
  counts.next_change = std::min(counts.next_change, next_proof(child, rules, now));
  if (may_fail) ++counts.unproven;
  if (replacement) ++(may_fail ? counts.replacements_starting : counts.replacements_ready);
}

}  // namespace

bool may_still_fail(const ChildRecord& child, const CensusRules& rules, Time now) {
  return !child.proven && now < ready_at(child, now) + rules.counts_after;
}

ChildCensus count_children(const Scoreboard& scoreboard, const ChildRows& rows, const ChildTable& children,
                           const CensusRules& rules, Time now) {
  ChildCensus census{.accepted = scoreboard.service().gone.accepted.load(relaxed)};
  for (std::uint32_t slot = 0; slot < children.slots(); ++slot) {
    const ChildRecord& child = children[slot];
    if (child.pid == 0) continue;
    const Phase phase = rows.lifecycle(slot).phase;
    const Figures& figures = rows[slot].figures;
    if (rows.is_busy(slot)) ++census.busy;
    census.accepted += figures.accepted.load(relaxed);
    census.counts.taken += taken_by(rows[slot]);
    const bool serves = phase == Phase::serving && !child.told_to_leave;
    census.any_serving |= serves;
    if (serves && !child.stopped) ++census.serving;
    census.any_lasting |= serves && !may_still_fail(child, rules, now);
    census.any_accepts |= !rows.is_full(slot) && !child.stopped && phase != Phase::leaving &&
                          !(child.told_to_leave && child.leaving_since < rules.heard_before);
    if (rules.max_lifetime > Clock::duration::zero() && !child.expired && !child.told_to_leave)
      census.next_expiry = std::min(census.next_expiry, child.forked_at + rules.max_lifetime);
    count_for_policy(rows, slot, child, phase, rules, now, census.counts);
  }
  return census;
}

}  // namespace brood
