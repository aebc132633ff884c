// SPDX-License-Identifier: MIT
#include "ctl/simulate/parent.hpp"

#include <algorithm>

namespace brood::ctl {

void SimulatedParent::child_becomes_busy(unsigned spares) {
  fewest_idle_ = std::min(fewest_idle_, spares);
  if (spares < wake_.below) woken_ = true;
}

void SimulatedParent::child_becomes_idle(const SimulatedChild& child, unsigned spares) {
  if (child.finished == 1 && wakes_when_proven_) woken_ = true;
  if (spares > wake_.above) woken_ = true;
}

void SimulatedParent::child_ended(Children& children, ChildId id, bool asked, Time now) {
  note_progress(children, now);
  woken_ = true;
  if (!asked && !children[id].proven) throttle_.failed(now);
}

Time SimulatedParent::next_look(Time now) const {
  return std::max(publishes_ || woken_ ? now : look_again_, busy_until_);
}

void SimulatedParent::note_progress(Children& children, Time now) {
  if (children.note_progress(now)) throttle_.proved();
}

// The thresholds move when the forks are done; until then children went by those of before.
void SimulatedParent::publish(const Children& children) {
  publishes_ = false;
  const bool raised = wanted_.below > wake_.below, lowered = wanted_.above < wake_.above;
  wake_ = wanted_;
  const unsigned spares = children.idle();
  const bool more = spares > seen_.spares || children.busy() < seen_.busy;
  if (raised && spares < wanted_.below && spares < seen_.spares) woken_ = true;
  if (lowered && spares > wanted_.above && more) woken_ = true;
}

SimulatedParent::Orders SimulatedParent::look(Children& children, unsigned waiting, Time now) {
  if (publishes_) {
    publish(children);
    if (!woken_ && now < look_again_) return {};
  }
  ++looks_;
  woken_ = false;
  note_progress(children, now);
  Census census = children.census(throttle_.trusts(), now);
  census.backlog = waiting;
  census.fewest_idle = std::min(fewest_idle_, census.idle);
  pace_.may_start = throttle_.may_start();
  pace_.one_at_a_time = throttle_.active();
  const Plan plan = decide(census, limits_, pace_, now);
  if (plan.complete) throttle_.complete(now);

  Orders orders{.start = plan.spawn,
                .start_replacements = plan.spawn_replacements,
                .leave = children.outdated(plan.retire_outdated)};
  const unsigned forks = plan.spawn + plan.spawn_replacements;
  busy_until_ = now + forks * fork_time_;
  for (unsigned i = 0; i < forks; ++i) throttle_.started(now);
  if (plan.replacements_done > 0) children.end_replacements(plan.replacements_done, throttle_.trusts());
  for (const ChildId id : orders.leave) children.tell_to_leave(id, now);
  for (const ChildId id : children.surplus(plan.retire_surplus)) {
    children.tell_to_leave(id, now);
    orders.leave.push_back(id);
  }

  pace_ = plan.pace;
  if (plan.count_fewest) fewest_idle_ = children.idle();
  watches_ = plan.watch_listeners;
  wakes_when_proven_ =
      throttle_.active() || (!throttle_.trusts() && census.outdated_idle + census.outdated_busy > 0);
  look_again_ = plan.look_again;
  if (delayed(now)) look_again_ = std::min(look_again_, throttle_.may_start());
  wanted_ = thresholds(plan, limits_, {.count = census.idle, .delayed = delayed(now)});
  seen_ = {.spares = census.idle, .busy = children.busy()};
  publishes_ = true;
  if (forks == 0) publish(children);
  return orders;
}

}  // namespace brood::ctl
