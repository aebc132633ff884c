// SPDX-License-Identifier: MIT
#include "pool/policy.hpp"

#include <algorithm>
#include <limits>

namespace brood {
namespace {

unsigned less(unsigned from, unsigned amount) { return from > amount ? from - amount : 0; }

unsigned wanted_for_load(const Census& census, const Limits& limits, const Pace& pace) {
  const unsigned future_spares = census.idle + census.starting;
  const unsigned wanted = less(limits.min_spare_servers + census.backlog, future_spares);
  return pace.started ? wanted : std::max(wanted, less(limits.start_servers, future_spares));
}

// For each replacement that is ready, one outdated child is retired. If max-clients leaves no room for a
// replacement, its predecessor is retired first, a few at a time, so that the pool never empties. While the
// throttle permits no start, nobody is retired.
void recycle(const Census& census, bool may_start, unsigned batch, unsigned room, Plan& plan) {
  plan.look_again = std::min(plan.look_again, census.next_ready);
  const unsigned outdated = census.outdated_idle + census.outdated_busy;
  plan.retire_outdated = std::min(census.replacements_ready, outdated);
  plan.replacements_done = census.replacements_ready;
  const unsigned remaining = outdated - plan.retire_outdated;
  if (remaining == 0 || !may_start) return;

  const unsigned budget = recycle_budget(census.total);
  plan.spawn_replacements =
      std::min({less(std::min(budget, remaining), census.replacements_starting), room, batch - plan.spawn});
  if (room > 0 || census.replacements_starting + census.replacements_ready > 0) return;
  // Idle ones leave at once. Busy ones leave when their connections end; the idle ones don't wait for that.
  plan.retire_outdated = census.outdated_idle > 0
                             ? std::min(census.outdated_idle, less(budget, census.leaving_idle))
                             : std::min(census.outdated_busy, less(budget, census.leaving));
}

// max-clients is reached when connections wait, not when only spares are missing. The queue sends no event,
// so while all children are busy it is checked once a second, until connections wait or a child is idle.
void watch_max_clients(const Census& census, const Pace& pace, Time now, Plan& plan) {
  plan.pace.at_max_clients = plan.at_max_clients && (pace.at_max_clients || census.backlog > 0);
  if (plan.pace.at_max_clients) {
    // A load that stays near the limit crosses it often, and is not warned of each time.
    plan.warn_max_clients =
        !pace.at_max_clients && (pace.warned_at == Time::min() || now - pace.warned_at >= warning_interval);
    if (plan.warn_max_clients) plan.pace.warned_at = now;
  } else if (plan.at_max_clients && census.idle == 0) {
    plan.look_again = std::min<Time>(plan.look_again, now + queue_check_interval);
  }
}

// Up to max-spare-servers, idle children are retired only by idle-timeout, and down to min-spare-servers.
// While connections wait for children that are about to take them, nobody leaves; what becomes of that is
// looked at later, because no child reports it.
void expire(const Census& census, const Limits& limits, Time now, Plan& plan) {
  const unsigned dispensable = less(census.idle, limits.min_spare_servers + plan.retire_outdated);
  if (limits.idle_timeout.count() == 0 || dispensable == 0) return;
  if (census.backlog > 0) {
    plan.look_again = std::min(plan.look_again, now + limits.idle_timeout);
    return;
  }
  plan.retire_surplus = std::min(dispensable, census.expired);
  if (plan.retire_surplus < dispensable) plan.look_again = std::min(plan.look_again, census.next_expiry);
}

// If there is no spare, and none is to be kept, arrivals wake the parent itself. If no child may be started,
// that would not help.
void watch(const Census& census, bool may_start, unsigned room, Plan& plan) {
  const bool some_child_accepts = census.idle + census.starting + plan.spawn + plan.spawn_replacements > 0;
  plan.watch_listeners = !some_child_accepts && may_start && room > 0;
}

void shrink(const Census& census, const Limits& limits, Time now, Plan& plan) {
  // A child with open connections is kept: retired, it would finish them and serve nobody else.
  const unsigned beyond = less(census.idle, limits.max_spare_servers + plan.retire_outdated);
  const unsigned surplus =
      census.backlog > 0 ? 0 : std::min(beyond, less(census.idle, census.idle_connected));
  if (surplus == 0) {
    plan.pace.surplus_since = never;
    return expire(census, limits, now, plan);
  }
  if (plan.pace.surplus_since == never) plan.pace.surplus_since = now;
  if (now - plan.pace.surplus_since >= surplus_delay) {
    plan.retire_surplus = (surplus + surplus_share - 1) / surplus_share;
    plan.pace.surplus_since = surplus > plan.retire_surplus ? now : never;
  }
  if (plan.pace.surplus_since != never)
    plan.look_again = std::min(plan.look_again, plan.pace.surplus_since + surplus_delay);
}

}  // namespace

Thresholds thresholds(const Plan& plan, const Limits& limits, const Spares& spares) {
  const auto most = [&] {
    // While the parent watches the listeners, any spare is one that can take over.
    if (plan.watch_listeners) return 0U;
    // A child that becomes idle has a time limit from then on, unless it is one of those that stay.
    if (limits.idle_timeout.count() > 0)
      return std::clamp(less(spares.count, spares.connected),
                        std::min(limits.min_spare_servers, limits.max_spare_servers),
                        limits.max_spare_servers);
    return limits.max_spare_servers;
  };
  const unsigned above = plan.pace.surplus_since == never ? most() + spares.other_idle_bits
                                                          : std::numeric_limits<unsigned>::max();
  const auto below = [&]() -> unsigned {
    if (spares.wake_when_busy) return std::numeric_limits<unsigned>::max();
    if (spares.delayed) return 0;
    // If no more may be started, the parent wakes only when the last spare becomes busy, and only once.
    if (plan.at_max_clients) return spares.count > 0 ? 1 + spares.other_idle_bits : 0;
    const unsigned least = std::max(limits.min_spare_servers, spares.count > 0 ? 1U : 0U);
    return least == 0 ? 0 : least + spares.other_idle_bits;
  };
  return {below(), above};
}

Plan decide(const Census& census, const Limits& limits, const Pace& pace, Time now) {
  Plan plan;
  plan.pace = pace;
  const unsigned room = less(limits.max_clients, census.total);
  const unsigned wanted = wanted_for_load(census, limits, pace);
  const bool may_start = now >= pace.may_start;
  const unsigned batch = pace.one_at_a_time ? 1 : spawn_batch;

  if (may_start) plan.spawn = std::min({wanted, room, batch});
  plan.pace.started = pace.started || plan.spawn == std::min(wanted, room);
  if (plan.spawn < std::min(wanted, room)) plan.look_again = may_start ? now : pace.may_start;

  // Without any spare, one is wanted as soon as a connection arrives.
  const bool nobody = census.idle + census.starting == 0;
  plan.at_max_clients = std::max(wanted, nobody ? 1U : 0U) > room;
  watch_max_clients(census, pace, now, plan);

  recycle(census, may_start, batch, room - plan.spawn, plan);
  watch(census, may_start, room, plan);
  if (!may_start && (nobody || census.outdated_idle + census.outdated_busy > 0))
    plan.look_again = std::min(plan.look_again, pace.may_start);
  shrink(census, limits, now, plan);
  return plan;
}

}  // namespace brood
