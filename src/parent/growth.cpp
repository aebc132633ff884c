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
constexpr std::chrono::seconds damage_report_interval{60};
// A child that was about to write something has written it by then.
constexpr std::chrono::milliseconds time_to_write{100};

std::string delay_of(const Throttle& throttle, Time now) {
  return text(std::max<Clock::duration>(throttle.may_start() - now, Clock::duration::zero()));
}

void note_delay(const Scoreboard& scoreboard, DecisionKind kind, const Throttle& throttle) {
  const std::chrono::nanoseconds delay = throttle.delay();
  scoreboard.journal().note({.kind = kind, .value = delay.count()});
}

}  // namespace

bool starts_on_demand(const Limits& limits) {
  return limits.start_servers == 0 && limits.min_spare_servers == 0;
}

Growth::Growth(const Scoreboard& scoreboard)
    : scoreboard_(scoreboard),
      lock_(scoreboard, [this](pid_t pid) { return pid > 0 && (pool_.find(pid) || detached_.has(pid)); }),
      pool_(scoreboard, lock_) {}

void Growth::take_over(const HandedOverService& left, bool new_program) {
  throttle_.go_on(left.throttle, new_program);
  for (const auto& child : left.children) pool_.take_over(child.slot, child.record);
  for (const auto& child : left.detached) detached_.add(child, child.leaving_since);
  may_strand_ = true;
  pace_.started = true;  // by the former program
}

// Their slots are free for others, but max-clients counts them as before.
void Growth::take_detached(Time now) {
  for (const ChildRecord& child : pool_.remove_detached()) {
    detached_.add(child, now);
    may_strand_ = true;
  }
  scoreboard_.service_orders().detached.store(detached_.count(), relaxed);
}

void Growth::notice(const Input& service, Time now) {
  take_detached(now);
  if (service.generation != generation_) throttle_.new_generation();
  generation_ = service.generation;
  if (pool_.note_progress(rules(service, now), now) > 0) throttle_.proved();
}

Time Growth::audit(const std::string& service, Time now) {
  const Findings findings = pool_.audit(now);
  const bool any = findings.mended > 0 || !findings.damaged.empty();
  if (any && (damage_reported_at_ == Time::min() || now - damage_reported_at_ >= damage_report_interval)) {
    damage_reported_at_ = now;
    log_error(text("service ", service, ": one of its children has written over the scoreboard; ",
                   findings.mended, " field(s) are corrected, ", findings.damaged.size(),
                   " children are replaced"));
  }
  return findings.suspects ? now + time_to_write : never;
}

CensusRules Growth::rules(const Input& service, Time now) const {
  CensusRules rules = service.kind.census_rules(throttle_, now);
  rules.generation = service.generation;
  rules.max_lifetime = service.configuration.limits.max_lifetime_per_child;
  return rules;
}

ChildTimeLimits Growth::child_time_limits(const Input& service) const {
  ChildTimeLimits limits = service.kind.time_limits(service.configuration);
  limits.counted_from = paused_until_;
  return limits;
}

ChildCensus Growth::census(const Input& service, Time now) const {
  return pool_.census(rules(service, now), now);
}

Time Growth::look(const Input& service, ChildCensus census, bool grows, Time now) {
  const auto [overdue, escalated] = pool_.end_overdue(child_time_limits(service), now);
  auto [slow, next_slow] = pool_.find_slow(service.configuration.limits.slow_timeout, paused_until_, now);
  for (SlowConnection& each : slow) service.note_slow(std::move(each));
  const Time next =
      std::min({overdue, next_slow,
                detached_.end_overdue(service.configuration.limits.detach_timeout, paused_until_, now)});
  watches_listeners_ = false;
  if (!grows) {
    act_on_overload(service.configuration, false, census, now);
    return next;
  }
  if (escalated) census = this->census(service, now);  // those children will not serve any more
  census.counts.total += detached_.count();
  census.counts.room = limits_of_child(service.configuration).connections;
  census.counts.fewest_idle = fewest_idle(census);
  census.counts.backlog = service.kind.backlog_for_children(census.counts, service.listeners.backlog());
  return std::min(next, grow(service, census, {.overdue = overdue, .slow = next_slow}, now));
}

// A connection that begins now reaches one of its time limits before the parent looks: the child that gets it
// must say so. If a child is busy, that seldom is so: it has been for some time.
bool Growth::awaits_busy(const Limits& limits, const ChildTimeLimits& of_child, Watched watched, Time now) {
  return (of_child.connection.count() > 0 &&
          now + of_child.connection + of_child.connection_grace < watched.overdue) ||
         (limits.slow_timeout.count() > 0 && now + limits.slow_timeout < watched.slow);
}

Time Growth::grow(const Input& service, const ChildCensus& census, Watched watched, Time now) {
  const Limits& limits = service.configuration.limits;
  const Census& counts = census.counts;
  wake_stranded(service, counts);
  saw(census);

  pace_.may_start = service.may_start ? throttle_.may_start() : never;
  pace_.one_at_a_time = throttle_.active();
  const Plan plan = decide(counts, limits, pace_, now);
  if (plan.complete) throttle_.complete(now);
  act(plan, counts, service, now);

  const bool awaits_proof =
      throttle_.active() || (!throttle_.trusts() && counts.outdated_idle + counts.outdated_busy > 0);
  scoreboard_.service_orders().wake_when_proven.store(awaits_proof ? 1 : 0, relaxed);
  Time next = std::min(plan.look_again, census.next_expiry);
  // Nothing else tells that a program has lasted, which an order may wait for.
  if (!service.kind.reports() && counts.unproven > 0) next = std::min(next, counts.next_change);
  // A child that was started or told to leave has a time limit from now on, and may never report anything.
  const unsigned moved = plan.spawn + plan.spawn_replacements + plan.retire_outdated + plan.retire_surplus;
  if (moved > 0) next = std::min(next, pool_.end_overdue(child_time_limits(service), now).next);
  watches_listeners_ = plan.watch_listeners;
  const bool full = plan.at_max_clients && counts.idle == 0;
  next = std::min(next, act_on_overload(service.configuration, full, census, now));
  const bool delayed = throttle_.active() && now < throttle_.may_start();
  if (delayed) next = std::min(next, throttle_.may_start());
  const Spares spares{.count = counts.idle,
                      .delayed = delayed,
                      .wake_when_busy = service.tell_activity ||
                                        awaits_busy(limits, child_time_limits(service), watched, now)};
  return publish(thresholds(plan, limits, spares), spares, census.busy) ? now : next;
}

void Growth::saw(const ChildCensus& census) const {
  const Census& counts = census.counts;
  ServiceOrders& orders = scoreboard_.service_orders();
  orders.waiting.store(counts.backlog, relaxed);
  raise(orders.most_waiting, counts.backlog);
  orders.serving.store(census.serving, relaxed);
  raise(orders.most_busy, census.busy);
  scoreboard_.journal().saw({.total = counts.total,
                             .starting = counts.starting,
                             .idle = counts.idle,
                             .busy = census.busy,
                             .leaving = counts.leaving,
                             .outdated = counts.outdated_idle + counts.outdated_busy,
                             .waiting = counts.backlog});
}

// It is a hint: children write it.
unsigned Growth::fewest_idle(const ChildCensus& census) const {
  return std::min(scoreboard_.gossip().fewest_idle.load(relaxed), census.counts.idle);
}

// A child with several connections leaves long before it is reaped. One write into a FIFO wakes one child,
// whatever it brings.
void Growth::wake_stranded(const Input& service, const Census& counts) {
  const bool may_strand = may_strand_ || limits_of_child(service.configuration).connections > 1 ||
                          fits(service.configuration.model.work, WorkKind::triggers);
  if (may_strand && counts.backlog > 0 && counts.idle > 0) pool_.wake_idle_child();
  may_strand_ = false;
}

void Growth::act(const Plan& plan, const Census& counts, const Input& service, Time now) {
  start(plan.spawn, pace_.started ? DecisionKind::start : DecisionKind::start_first,
        plan.spares_hang ? "hang" : "", service, now);
  start(plan.spawn_replacements, DecisionKind::replace, "", service, now);
  pool_.retire(plan.retire_outdated, DecisionKind::outdated, service.generation);
  pool_.end_replacements(plan.replacements_done, rules(service, now), now);
  pool_.retire(plan.retire_surplus, plan.surplus_expired ? DecisionKind::idle : DecisionKind::surplus,
               service.generation);
  ServiceOrders& orders = scoreboard_.service_orders();
  if (plan.pace.at_max_clients && !pace_.at_max_clients) {
    add(orders.max_clients_reached, 1);
    scoreboard_.journal().note({.kind = DecisionKind::at_max_clients});
  }
  // By now a child may have taken what waited when the plan was made.
  if (plan.warn_max_clients)
    log_warning(text(
        "service ", service.configuration.name, ": max-clients = ", service.configuration.limits.max_clients,
        " is reached and more connections wait (", std::max(counts.backlog, service.listeners.backlog()),
        "); raise max-clients if memory permits, or find out what keeps the children busy"));
  if (plan.at_max_clients) pool_.release_stopped();
  if (plan.count_fewest) scoreboard_.gossip().fewest_idle.store(scoreboard_.count_idle(), relaxed);
  orders.throttled_until.store(throttle_.active() ? to_nanoseconds(throttle_.may_start()) : 0, relaxed);
  pace_ = plan.pace;
}

void Growth::start(unsigned number, DecisionKind kind, std::string_view spares, const Input& service,
                   Time now) {
  if (number == 0) return;
  service.prepare_start();
  scoreboard_.journal().note({.kind = kind, .count = number, .word = spares});
  for (unsigned i = 0; i < number; ++i) {
    if (!pool_.start(service.generation, kind == DecisionKind::replace,
                     service.kind.signals(service.configuration), now, service.child_main)) {
      const int error_number = errno;
      throttle_.could_not_fork(now);
      note_delay(scoreboard_, DecisionKind::fork_failed, throttle_);
      log_error(text("service ", service.configuration.name, ": ",
                     std::string_view(SystemError("fork", error_number).what()), "; trying again in ",
                     delay_of(throttle_, now)));
      return;
    }
    throttle_.started(now);
  }
}

// The children act. While all of them are busy, the parent looks once a second whether clients wait: a queue
// sends no event.
Time Growth::act_on_overload(const ServiceConfiguration& service, bool full, const ChildCensus& census,
                             Time now) {
  const unsigned waiting = full ? census.counts.backlog : 0;
  const bool overloaded = overload_.look(waiting, census.accepted, now);
  const auto read_timeout = service.limits.overload_read_timeout;
  limit_reads(overloaded ? read_timeout : std::chrono::milliseconds(0), now);
  const bool refuses = service.admission.on_overload == OnOverload::refuse;
  unsigned most = service.admission.overload_queue;
  if (most == 0) most = service.limits.max_clients * limits_of_child(service).connections;
  scoreboard_.service_orders().overload_queue.store(overloaded && refuses ? most : 0, relaxed);
  if (!full || (read_timeout.count() == 0 && !refuses)) return never;
  return waiting > 0 ? now + Overload::window : now + queue_check_interval;
}

// The children keep the limit themselves. Those that wait for their clients already, without a limit, are
// interrupted.
void Growth::limit_reads(std::chrono::milliseconds limit, Time now) {
  auto& published = scoreboard_.service_orders().overload_read_timeout;
  const bool begins = published.load(relaxed) == 0;
  published.store(std::chrono::nanoseconds(limit).count(), relaxed);
  if (limit.count() > 0 && (begins || now >= reads_interrupted_at_ + queue_check_interval)) {
    pool_.interrupt_reads();
    reads_interrupted_at_ = now;
  }
}

// Children read the thresholds after they have changed their rows. The parent counts again after it has moved
// the thresholds. One of the two sees the other. A child with room for more connections changes its idle bit
// only when it is full: that it has become busy is seen by its open connections. True: the counts have
// changed and need a look. (test/model/wake.pml)
bool Growth::publish(const Thresholds& wanted, const Spares& seen, unsigned busy_seen) const {
  ServiceOrders& orders = scoreboard_.service_orders();
  const bool raised = wanted.below > orders.wake_below.load(relaxed);
  const bool lowered = wanted.above < orders.wake_above.load(relaxed);
  orders.wake_below.store(wanted.below, seq_cst);
  orders.wake_above.store(wanted.above, seq_cst);
  if (!raised && !lowered) return false;
  std::atomic_thread_fence(seq_cst);
  const unsigned spares = scoreboard_.count_idle(), busy = pool_.count_busy();
  const bool fewer = spares < seen.count || (seen.wake_when_busy && busy > 0);
  const bool more = spares > seen.count || busy < busy_seen;
  return (raised && spares < wanted.below && fewer) || (lowered && spares > wanted.above && more);
}

void Growth::before_reaped(pid_t pid) const {
  if (const auto slot = pool_.find(pid)) return pool_.before_reaped(*slot);
  detached_.before_reaped(pid);
}

ChildEnd Growth::child_ended(const Input& service, std::uint32_t slot, int code, int status, Time now) {
  notice(service, now);  // before this child's figures are cleared
  may_strand_ = true;
  const ChildKind::Ended ended{.age = pool_.rows().age(slot, now),
                               .exited_with_0 = code == CLD_EXITED && status == 0,
                               .ready = pool_.rows().lifecycle(slot).phase != Phase::starting,
                               .on_demand = starts_on_demand(service.configuration.limits),
                               .throttle_delay = throttle_.delay()};
  return pool_.reaped(slot, code, status, service.kind.reports(),
                      service.kind.has_served(ended, service.listeners));
}

bool Growth::detached_ended(pid_t pid, int code, int status, bool& failed) {
  if (!detached_.has(pid)) return false;
  failed = detached_.reaped(pid, code, status);
  ServiceOrders& orders = scoreboard_.service_orders();
  orders.detached.store(detached_.count(), relaxed);
  if (failed) add(orders.children_failed, 1);
  return true;
}

void Growth::start_failed(const std::string& service, Time now) {
  const auto delay_before = throttle_.delay();
  throttle_.failed(now);
  if (throttle_.delay() == delay_before) return;
  note_delay(scoreboard_, DecisionKind::throttle, throttle_);
  log_warning(text("service ", service, ": children fail at once; the next one is started in ",
                   delay_of(throttle_, now)));
}

void Growth::start_over() {
  pace_ = {};
  throttle_.start_over();
  may_strand_ = true;
}

void Growth::kill_all(const char* why) {
  pool_.kill_all(why);
  detached_.kill_all(why);
}

bool Growth::all_lost() const { return pool_.children().all_lost() && detached_.all_lost(); }

}  // namespace brood
