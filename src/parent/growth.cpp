// SPDX-License-Identifier: MIT
#include "parent/growth.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {
namespace {

constexpr auto seq_cst = std::memory_order_seq_cst;

ChildTimeLimits child_time_limits(const Growth::Input& service) {
  return service.kind.time_limits(service.configuration.limits, service.configuration.model.many_connections);
}

std::string delay_of(const Throttle& throttle, Time now) {
  return text(std::max<Clock::duration>(throttle.may_start() - now, Clock::duration::zero()));
}

}  // namespace

bool starts_on_demand(const Limits& limits) {
  return limits.start_servers == 0 && limits.min_spare_servers == 0;
}

Growth::Growth(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index)
    : scoreboard_(scoreboard), index_(index), pool_(scoreboard, lock, index) {}

void Growth::take_over(const HandedOverService& left) {
  for (const auto& child : left.children) pool_.take_over(child.slot, child.record);
  for (const auto& child : left.detached) detached_.add(child, child.leaving_since);
  may_strand_ = true;
}

// Their slots are free for others, but max-clients counts them as before.
void Growth::take_detached(Time now) {
  for (const ChildRecord& child : pool_.remove_detached()) {
    detached_.add(child, now);
    may_strand_ = true;
  }
  scoreboard_.service_orders(index_).detached.store(detached_.count(), relaxed);
}

ChildCensus Growth::census(const Input& service, Time now) const {
  CensusRules rules = service.kind.census_rules(throttle_.delay(), now);
  rules.generation = service.generation;
  rules.idle_timeout = service.configuration.limits.idle_timeout;
  return pool_.census(rules, now);
}

Time Growth::look(const Input& service, ChildCensus census, bool grows, Time now) {
  const auto [overdue, escalated] = pool_.end_overdue(child_time_limits(service), now);
  const Time next =
      std::min(overdue, detached_.end_overdue(service.configuration.limits.detach_timeout, now));
  watches_listeners_ = false;
  if (!grows) return next;
  if (escalated) census = this->census(service, now);  // those children will not serve any more
  census.counts.total += detached_.count();
  census.counts.backlog = service.kind.backlog_for_children(census.counts, service.listeners.backlog());
  return std::min(next, grow(service, census, overdue, now));
}

Time Growth::grow(const Input& service, const ChildCensus& census, Time overdue, Time now) {
  const Limits& limits = service.configuration.limits;
  const Census& counts = census.counts;
  lift_throttle(census);
  wake_stranded(service, counts);

  pace_.may_start = service.may_start ? throttle_.may_start() : never;
  pace_.one_at_a_time = throttle_.active();
  const Plan plan = decide(counts, limits, pace_, now);
  act(plan, service, now);

  Time next = plan.look_again;
  // A child that was started or told to leave has a time limit from now on, and may never report anything.
  const unsigned moved = plan.spawn + plan.spawn_replacements + plan.retire_outdated + plan.retire_surplus;
  if (moved > 0) next = std::min(next, pool_.end_overdue(child_time_limits(service), now).next);
  watches_listeners_ = plan.watch_listeners;
  const bool delayed = throttle_.active() && now < throttle_.may_start();
  if (delayed) next = std::min(next, throttle_.may_start());
  const unsigned idle_bits = census.idle_bits;
  const Spares spares{.count = counts.idle,
                      .connected = counts.idle_connected,
                      .other_idle_bits = idle_bits > counts.idle ? idle_bits - counts.idle : 0,
                      .delayed = delayed,
                      .wake_when_busy = limits.connection_timeout.count() > 0 && overdue == never};
  return publish(thresholds(plan, limits, spares), idle_bits) ? now : next;
}

// A child with several connections leaves long before it is reaped. One write into a FIFO wakes one child,
// whatever it brings.
void Growth::wake_stranded(const Input& service, const Census& counts) {
  const bool may_strand = may_strand_ || limits_of_child(service.configuration).connections > 1 ||
                          fits(service.configuration.model.work, WorkKind::triggers);
  if (may_strand && counts.backlog > 0 && counts.idle > 0) pool_.wake_idle_child();
  may_strand_ = false;
}

void Growth::act(const Plan& plan, const Input& service, Time now) {
  start(plan.spawn, false, service, now);
  start(plan.spawn_replacements, true, service, now);
  pool_.retire(plan.retire_outdated, Reason::recycle, service.generation);
  pool_.end_replacements(plan.replacements_done);
  pool_.retire(plan.retire_surplus, Reason::surplus, service.generation);
  ServiceOrders& orders = scoreboard_.service_orders(index_);
  if (plan.pace.at_max_clients && !pace_.at_max_clients) add(orders.max_clients_reached, 1);
  if (plan.warn_max_clients)
    log_warning(text("service ", service.configuration.name,
                     ": max-clients = ", service.configuration.limits.max_clients,
                     " is reached and more connections wait (", service.listeners.backlog(),
                     "); raise max-clients if memory permits, or find out what keeps the children busy"));
  if (plan.at_max_clients) pool_.release_stopped();
  orders.throttled_until.store(throttle_.active() ? to_nanoseconds(throttle_.may_start()) : 0, relaxed);
  pace_ = plan.pace;
}

void Growth::start(unsigned number, bool replacement, const Input& service, Time now) {
  for (unsigned i = 0; i < number; ++i) {
    if (!pool_.start(service.generation, replacement, now, service.child_main)) {
      const int error_number = errno;
      throttle_.failed(now);
      log_error(text("service ", service.configuration.name, ": ",
                     std::string_view(SystemError("fork", error_number).what()), "; trying again in ",
                     delay_of(throttle_, now)));
      return;
    }
    throttle_.started(now);
  }
}

// Children read the thresholds after they have flipped their idle bits. The parent counts the bits again
// after it has moved the thresholds. One of the two sees the other. True: the bits have changed and need a
// look.
bool Growth::publish(const Thresholds& wanted, unsigned idle_bits) const {
  ServiceOrders& orders = scoreboard_.service_orders(index_);
  const bool raised = wanted.below > orders.wake_below.load(relaxed);
  const bool lowered = wanted.above < orders.wake_above.load(relaxed);
  orders.wake_below.store(wanted.below, seq_cst);
  orders.wake_above.store(wanted.above, seq_cst);
  const std::uint32_t bits_now = scoreboard_.count_idle(index_);
  return (raised && bits_now < wanted.below && bits_now < idle_bits) ||
         (lowered && bits_now > wanted.above && bits_now > idle_bits);
}

void Growth::lift_throttle(const ChildCensus& census) {
  if (throttle_.active() && census.proven > throttle_.last_failure()) throttle_.cleared();
}

ChildEnd Growth::child_ended(const Input& service, std::uint32_t slot, int code, int status, Time now) {
  if (throttle_.active()) lift_throttle(census(service, now));  // before this child's figures are cleared
  may_strand_ = true;
  const ChildKind::Ended ended{.age = pool_.rows().age(slot, now),
                               .exited_with_0 = code == CLD_EXITED && status == 0,
                               .on_demand = starts_on_demand(service.configuration.limits),
                               .throttle_delay = throttle_.delay()};
  return pool_.reaped(slot, code, status, service.kind.has_served(ended, service.listeners));
}

bool Growth::detached_ended(pid_t pid, int code, int status, bool& failed) {
  if (!detached_.has(pid)) return false;
  failed = detached_.reaped(pid, code, status);
  ServiceOrders& orders = scoreboard_.service_orders(index_);
  orders.detached.store(detached_.count(), relaxed);
  if (failed) add(orders.children_failed, 1);
  return true;
}

void Growth::start_failed(const std::string& service, Time now) {
  const auto delay_before = throttle_.delay();
  throttle_.failed(now);
  if (throttle_.delay() != delay_before)
    log_warning(text("service ", service, ": children fail at once; the next one is started in ",
                     delay_of(throttle_, now)));
}

void Growth::start_over() {
  pace_ = {};
  throttle_.cleared();
  may_strand_ = true;
}

void Growth::kill_all(const char* why) {
  pool_.kill_all(why);
  detached_.kill_all(why);
}

bool Growth::all_lost() const { return pool_.children().all_lost() && detached_.all_lost(); }

}  // namespace brood
