// SPDX-License-Identifier: MIT
#include "pool/policy.hpp"

#include <algorithm>
#include <limits>

namespace brood {
namespace {

// While connections wait, nobody is told to leave. Children take what waits in less time.
constexpr std::chrono::milliseconds backlog_pause{50};

unsigned less(unsigned from, unsigned amount) { return from > amount ? from - amount : 0; }

// So many spares take what waits.
unsigned spares_for_backlog(const Census& census) { return (census.backlog + census.room - 1) / census.room; }

// What waits makes so many of them full. The last one has room left, and stays a spare.
unsigned filled_by_backlog(const Census& census) { return census.backlog / census.room; }

// A child with an event loop may have room and take nothing, because a handler holds up its loop. Those that
// start will take what waits, and tell when they are ready.
void watch_spares(const Census& census, Time now, Plan& plan) {
  Pace& pace = plan.pace;
  if (census.room == 1 || census.backlog == 0 || census.idle == 0 || census.starting > 0) {
    pace.waits_since = never;
  } else if (pace.waits_since == never || census.taken != pace.taken_before) {
    pace.waits_since = now;
    pace.taken_before = census.taken;
  }
  plan.spares_hang = pace.waits_since != never && now - pace.waits_since >= spare_patience;
}

unsigned wanted_for_load(const Census& census, const Limits& limits, const Plan& plan) {
  const unsigned future_spares = census.idle + census.starting;
  const unsigned takers = plan.spares_hang ? 0 : future_spares;
  const unsigned wanted = std::max(less(limits.min_spare_servers + filled_by_backlog(census), future_spares),
                                   less(spares_for_backlog(census), takers));
  return plan.pace.started ? wanted : std::max(wanted, less(limits.start_servers, future_spares));
}

unsigned outdated(const Census& census) { return census.outdated_idle + census.outdated_busy; }

// For each replacement that is ready, one outdated child is retired. If max-clients leaves no room for a
// replacement, a tenth is retired first, and the next ones when all children that are there can be counted
// on: nobody leaves, nobody starts, whatever for, and nobody may still fail. While the throttle permits no
// start, nobody is retired. A replacement that a reload has overtaken leaves at once: its predecessor is
// there.
void recycle(const Census& census, bool may_start, unsigned batch, unsigned room, Plan& plan) {
  const unsigned overtaken = census.outdated_replacements;
  const unsigned to_replace = outdated(census) - overtaken;
  const unsigned replaced = std::min(census.replacements_ready, to_replace);
  plan.retire_outdated = overtaken + replaced;
  plan.replacements_done = census.replacements_ready;
  if (outdated(census) > 0) plan.look_again = std::min(plan.look_again, census.next_change);
  const unsigned remaining = to_replace - replaced;
  if (remaining == 0 || !may_start) return;

  const unsigned budget = recycle_budget(census.total);
  plan.spawn_replacements =
      std::min({less(std::min(budget, remaining), census.replacements_starting), room, batch - plan.spawn});
  const unsigned under_way = less(census.leaving, census.leaving_long) + census.starting + census.unproven +
                             census.replacements_ready + overtaken + plan.spawn;
  if (room == 0 && under_way == 0) plan.retire_outdated = std::min(remaining, budget);
}

// max-clients is reached when more connections wait than the spares are about to take, not when only spares
// are missing. The queue sends no event, so while all children are busy it is checked once a second, until
// connections wait or a child is idle.
void watch_max_clients(const Census& census, const Pace& pace, Time now, Plan& plan) {
  const bool too_many_wait = plan.spares_hang || spares_for_backlog(census) > census.idle;
  plan.pace.at_max_clients = plan.at_max_clients && (pace.at_max_clients || too_many_wait);
  if (plan.pace.at_max_clients) {
    // A load that stays near the limit crosses it often, and is not warned of each time.
    plan.warn_max_clients =
        !pace.at_max_clients && (pace.warned_at == Time::min() || now - pace.warned_at >= warning_interval);
    if (plan.warn_max_clients) plan.pace.warned_at = now;
  } else if (plan.at_max_clients && census.idle == 0) {
    plan.look_again = std::min<Time>(plan.look_again, now + queue_check_interval);
  }
}

// If there is no spare, and none is to be kept, arrivals wake the parent itself. If no child may be started,
// that would not help.
void watch(const Census& census, bool may_start, unsigned room, Plan& plan) {
  const bool some_child_accepts = census.idle + census.starting + plan.spawn + plan.spawn_replacements > 0;
  plan.watch_listeners = !some_child_accepts && may_start && room > 0;
}

// How many spares are more than `enough`. Those whose predecessors leave, or will, are none.
unsigned beyond(unsigned enough, const Census& census, const Plan& plan) {
  return less(census.idle,
              enough + std::max(plan.retire_outdated, std::min(census.unproven, outdated(census))));
}

// A child with open connections is kept: retired, it would finish them and serve nobody else. While
// connections wait for children that are about to take them, nobody leaves.
void shrink(const Census& census, const Limits& limits, Time now, Plan& plan) {
  const unsigned unconnected = less(census.idle, census.idle_connected);
  const unsigned surplus =
      census.backlog > 0 ? 0 : std::min(beyond(limits.max_spare_servers, census, plan), unconnected);
  Time& since = plan.pace.surplus_since;
  if (surplus == 0) {
    since = never;
    return;
  }
  if (since == never) since = now;
  if (now - since >= surplus_delay) {
    plan.retire_surplus = (surplus + surplus_share - 1) / surplus_share;
    since = surplus > plan.retire_surplus ? now : never;
  }
  if (since != never) plan.look_again = std::min(plan.look_again, since + surplus_delay);
}

// Spares that were not needed during the last idle-timeout leave, down to min-spare-servers. Their number is
// the smallest number of spares in that time. It is known of each half of the time, so that no child stays
// for longer than one and a half.
void expire(const Census& census, const Limits& limits, Time now, Plan& plan) {
  Pace& pace = plan.pace;
  const unsigned enough = limits.min_spare_servers + less(census.idle, beyond(0, census, plan));
  const unsigned unconnected = less(census.idle, census.idle_connected);
  const auto dispensable = [&](unsigned spares) { return std::min(less(spares, enough), unconnected); };
  if (limits.idle_timeout.count() == 0 || dispensable(census.idle) == 0) {
    pace.period_since = never;
    return;
  }
  const Clock::duration period = Clock::duration(limits.idle_timeout) / 2;
  const auto begin = [&](unsigned fewest_before) {
    pace.period_since = now;
    pace.fewest_before = fewest_before;
    pace.fewest_idle = census.idle;
    plan.count_fewest = true;
  };
  if (pace.period_since == never) begin(0);
  if (!plan.count_fewest) pace.fewest_idle = std::min({pace.fewest_idle, census.idle, census.fewest_idle});
  // A look often comes with the connection that has made the parent look: those who will take it are needed,
  // not all spares.
  pace.fewest_idle = std::min(pace.fewest_idle, less(census.idle, spares_for_backlog(census)));
  const bool over = now - pace.period_since >= period;
  if (over && census.backlog > 0) {
    plan.look_again = std::min(plan.look_again, now + backlog_pause);
    return;
  }
  if (over) {
    const unsigned leave = dispensable(std::min(pace.fewest_before, pace.fewest_idle));
    plan.surplus_expired = leave > plan.retire_surplus;
    plan.retire_surplus = std::max(plan.retire_surplus, leave);
    begin(less(pace.fewest_idle, plan.retire_surplus));
    pace.fewest_idle -= plan.retire_surplus;
    if (dispensable(census.idle) == plan.retire_surplus) pace.period_since = never;
  }
  if (pace.period_since != never) plan.look_again = std::min(plan.look_again, pace.period_since + period);
}

}  // namespace

Thresholds thresholds(const Plan& plan, const Limits& limits, const Spares& spares) {
  const auto most = [&] {
    // While the parent watches the listeners, any spare is one that can take over.
    if (plan.watch_listeners) return 0U;
    // idle-timeout begins with the first spare that could be spared.
    if (limits.idle_timeout.count() > 0 && plan.pace.period_since == never)
      return std::min(limits.min_spare_servers, limits.max_spare_servers);
    return limits.max_spare_servers;
  };
  const unsigned above = plan.pace.surplus_since == never ? most() : std::numeric_limits<unsigned>::max();
  const auto below = [&]() -> unsigned {
    if (spares.wake_when_busy) return std::numeric_limits<unsigned>::max();
    if (spares.delayed) return 0;
    // If no more may be started, the parent wakes only when the last spare becomes busy, and only once.
    if (plan.at_max_clients) return spares.count > 0 ? 1 : 0;
    return std::max(limits.min_spare_servers, spares.count > 0 ? 1U : 0U);
  };
  return {below(), above};
}

Plan decide(const Census& census, const Limits& limits, const Pace& pace, Time now) {
  Plan plan;
  plan.pace = pace;
  const unsigned room = less(limits.max_clients, census.total);
  watch_spares(census, now, plan);
  const unsigned wanted = wanted_for_load(census, limits, plan);
  const bool may_start = now >= pace.may_start;
  const unsigned batch = pace.one_at_a_time ? 1 : spawn_batch;

  if (may_start) plan.spawn = std::min({wanted, room, batch});
  plan.pace.started = pace.started || plan.spawn == std::min(wanted, room);
  if (plan.spawn < std::min(wanted, room))
    plan.look_again = std::min(plan.look_again, may_start ? now : pace.may_start);

  if (plan.spares_hang && plan.spawn > 0) plan.pace.waits_since = now;
  const Time hang_from = plan.pace.waits_since == never ? never : plan.pace.waits_since + spare_patience;
  if (room > plan.spawn && hang_from > now) plan.look_again = std::min(plan.look_again, hang_from);

  // Without any spare, one is wanted as soon as a connection arrives.
  const bool nobody = census.idle + census.starting == 0;
  plan.at_max_clients = std::max(wanted, nobody ? 1U : 0U) > room;
  watch_max_clients(census, pace, now, plan);

  plan.complete = wanted == 0 && outdated(census) == 0 && census.starting == 0 && census.unproven == 0;
  recycle(census, may_start, batch, room - plan.spawn, plan);
  watch(census, may_start, room, plan);
  if (!may_start && (nobody || outdated(census) > 0))
    plan.look_again = std::min(plan.look_again, pace.may_start);
  if (pace.one_at_a_time) plan.look_again = std::min(plan.look_again, census.next_change);
  shrink(census, limits, now, plan);
  expire(census, limits, now, plan);
  return plan;
}

}  // namespace brood
