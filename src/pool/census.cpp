// SPDX-License-Identifier: MIT
#include "pool/census.hpp"

#include <algorithm>

namespace brood {
namespace {

using namespace std::chrono_literals;

// The parts of the census that the policy decides by. `phase`: of a child that has a slot.
void count_for_policy(const ChildRows& rows, std::uint32_t slot, const ChildRecord& child, Phase phase,
                      const CensusRules& rules, Time now, Census& counts) {
  ++counts.total;
  const bool busy = rows.is_busy(slot);
  if (child.told_to_leave) {
    ++counts.leaving;
    if (!busy) ++counts.leaving_idle;
    return;
  }
  if (child.stopped || child.escalation != Escalation::none) return;
  if (phase == Phase::leaving) {
    ++counts.leaving;
    return;
  }
  if (phase != Phase::serving) {
    ++counts.starting;
    if (child.replacement) ++counts.replacements_starting;
    return;
  }
  const bool idle = rows.is_idle(slot);
  if (idle) ++counts.idle;
  if (idle && busy) ++counts.idle_connected;
  if (idle && !busy && rules.idle_timeout > 0ms) {
    const Time expiry = rows.idle_since(slot, now) + rules.idle_timeout;
    if (expiry <= now) ++counts.expired;
    if (expiry > now) counts.next_expiry = std::min(counts.next_expiry, expiry);
  }
  if (child.replacement) {
    const Time ready_at = child.forked_at + rules.replacement_age;
    const bool starts = ready_at > now;
    if (starts) counts.next_ready = std::min(counts.next_ready, ready_at);
    ++(starts ? counts.replacements_starting : counts.replacements_ready);
  }
  if (rows.outdated(slot, rules.generation)) ++(idle ? counts.outdated_idle : counts.outdated_busy);
}

bool is_proven(const Figures& figures, Clock::duration age, const CensusRules& rules) {
  const bool old = age >= rules.proven_age;
  if (rules.age_is_proof) return old;
  return figures.finished.load(relaxed) > 0 || (old && figures.accepted.load(relaxed) > 0);
}

}  // namespace

ChildCensus count_children(const Scoreboard& scoreboard, std::uint32_t service, const ChildRows& rows,
                           const ChildTable& children, const CensusRules& rules, Time now) {
  ChildCensus census{.accepted = scoreboard.service(service).gone.accepted.load(relaxed),
                     .idle_bits = scoreboard.count_idle(service)};
  for (std::uint32_t slot = 0; slot < children.slots(); ++slot) {
    const ChildRecord& child = children[slot];
    if (child.pid == 0) continue;
    const Phase phase = rows.lifecycle(slot).phase;
    const Figures& figures = rows[slot].figures;
    census.accepted += figures.accepted.load(relaxed);
    census.any_serving |= phase == Phase::serving && !child.told_to_leave;
    census.any_accepts |= !rows.is_full(slot) && !child.stopped && phase != Phase::leaving &&
                          !(child.told_to_leave && child.leaving_since < rules.heard_before);
    if (child.forked_at > census.proven && is_proven(figures, now - child.forked_at, rules))
      census.proven = child.forked_at;
    count_for_policy(rows, slot, child, phase, rules, now, census.counts);
  }
  return census;
}

}  // namespace brood
