// SPDX-License-Identifier: MIT
#include "service.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "brood/error.hpp"
#include "brood/log.hpp"
#include "log_target.hpp"
#include "text.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto seq_cst = std::memory_order_seq_cst;
constexpr auto loop_patience = 5s;

}  // namespace

Service::Service(ServiceConfiguration configuration, ServerBase& server)
    : configuration_(std::move(configuration)),
      server_(server),
      identity_(find_identity(configuration_.user, configuration_.group)),
      listeners_(configuration_.name, configuration_.listen_specs, configuration_.listen_backlog,
                 configuration_.model.takes) {}

Service::Service(ServiceConfiguration configuration, ServerBase& server, const InheritedService& left)
    : configuration_(std::move(configuration)),
      server_(server),
      identity_(find_identity(configuration_.user, configuration_.group)),
      listeners_(configuration_.name, configuration_.listen_specs, configuration_.listen_backlog,
                 configuration_.model.takes, left.listeners) {}

std::uint32_t Service::slots_wanted() const {
  const std::uint32_t wanted = std::max(256U, 2 * configuration_.limits.max_clients);
  return (wanted + bits_per_word - 1) / bits_per_word * bits_per_word;
}

void Service::settle(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index, int wake_fd,
                     std::function<void()> in_child) {
  scoreboard_ = &scoreboard;
  lock_ = &lock;
  index_ = index;
  wake_fd_ = wake_fd;
  in_child_ = std::move(in_child);
  pool_.emplace(scoreboard, lock, index);
}

void Service::begin() { publish_limits(); }

void Service::take_over(Heir& heir, Time now) {
  const InheritedService& left = *heir.find(name());
  std::vector<Listener> serving, drained;
  for (const auto& listener : left.listeners)
    (listener.drained ? drained : serving).emplace_back(heir.claim(listener.descriptor), listener);
  listeners_.take_over(std::move(serving), std::move(drained), now, left.drain_until);
  for (const auto& child : left.children) pool_->take_over(child.slot, child.record);
  generation_ = left.generation;
  look_for_stranded_ = true;
  if (!heir.is_former()) {
    ++generation_;
    try {
      listeners_.change(configuration_.listen_specs, configuration_.limits.graceful_timeout, now);
    } catch (const Error& error) {
      log_error(text("service ", name(), ": ", std::string_view(error.what()),
                     "; the listeners stay as the former program had them"));
    }
  }
  publish_limits();
}

InheritedService Service::bequest() const {
  InheritedService left{.name = name(),
                        .generation = generation_,
                        .drain_until = listeners_.drain_until(),
                        .listeners = listeners_.bequest(),
                        .children = {}};
  for (const std::uint32_t slot : pool_->children().taken())
    left.children.push_back({slot, pool_->children()[slot]});
  return left;
}

void Service::publish_limits() {
  ServiceOrders& orders = scoreboard_->service_orders(index_);
  const Limits& limits = configuration_.limits;
  orders.generation.store(generation_, relaxed);
  orders.max_requests_per_child.store(limits.max_requests_per_child, relaxed);
  orders.start_servers.store(limits.start_servers, relaxed);
  orders.min_spare_servers.store(limits.min_spare_servers, relaxed);
  orders.max_spare_servers.store(limits.max_spare_servers, relaxed);
  orders.max_clients.store(limits.max_clients, relaxed);
  const std::string all = listeners_.addresses();
  orders.listeners.fill('\0');
  all.copy(orders.listeners.data(), orders.listeners.size() - 1);
}

void Service::reaped(std::uint32_t slot, int code, int status, Time now) {
  // Before the slot's figures are gone: this child, or another one, may have proved itself.
  lift_throttle(now);
  const Death death = pool_->reaped(slot, code, status);
  look_for_stranded_ = true;
  if (stage_ == Stage::closing || stage_ == Stage::finishing || death.asked) return;
  const bool hopeless = death.exit_code == static_cast<int>(ExitCode::configuration) && !death.proven;
  if (hopeless && !pool_->tally().any_serving()) {
    log_error(text("service ", name(), ": a child says that its configuration can't work (exit code ",
                   death.exit_code, "), and none serves; the service is stopped"));
    fatal_exit_ = death.exit_code;
  } else if (!death.proven || death.exit_code == static_cast<int>(ExitCode::sick)) {
    const auto delay_before = throttle_.delay();
    throttle_.failed(now);
    if (throttle_.delay() != delay_before)
      log_warning(text("service ", name(), ": children fail at once; the next one is started in ",
                       std::max<Clock::duration>(throttle_.may_start() - now, 0s)));
  }
}

void Service::lift_throttle(Time now) {
  if (throttle_.active() && pool_->tally().proven_since(throttle_.last_failure(), throttle_.delay(), now))
    throttle_.cleared();
}

void Service::reload(ServiceConfiguration configuration, Time now) {
  const std::uint32_t most = scoreboard_->service(index_).slot_count;
  if (configuration.limits.max_clients > most)
    throw ConfigurationError(text("max-clients = ", configuration.limits.max_clients, " exceeds the ", most,
                                  " slots that the scoreboard was made with; more need a restart"));
  listeners_.change(configuration.listen_specs, configuration.limits.graceful_timeout, now);
  // What only a restart changes stays as it was.
  configuration.name = configuration_.name;
  configuration.user = configuration_.user;
  configuration.group = configuration_.group;
  configuration.listen_backlog = configuration_.listen_backlog;
  configuration_ = std::move(configuration);
  ++generation_;
  throttle_.cleared();  // what failed may be mended
  fatal_exit_.reset();
  publish_limits();
}

void Service::stop(Time limit) {
  if (stage_ != Stage::serving) return;
  stage_ = Stage::draining;
  limit_ = limit;
  // What is accepted in the last moment needs time, too.
  const Time now = Clock::now();
  listeners_.drain_all(now, limit == never ? never : now + (limit - now) * 3 / 4);
}

void Service::stop_now(const char* why) {
  stage_ = Stage::finishing;
  pool_->kill_all(why);
  listeners_.close_all();
}

void Service::add_watched(std::vector<pollfd>& to) const {
  if (!watches_listeners_) return;
  for (const auto& listener : listeners_.of_a_child())
    to.push_back({.fd = listener.descriptor, .events = POLLIN, .revents = 0});
}

ChildLimits Service::limits_of_a_child() const {
  const Limits& limits = configuration_.limits;
  return {.threads = limits.threads_per_child,
          .connections = configuration_.model.many_connections ? limits.max_connections_per_child
                                                               : limits.threads_per_child,
          .connection_timeout = limits.connection_timeout,
          .idle_timeout = limits.connection_idle_timeout};
}

// A child that has many connections ends the one that is too old itself. Only if it can't it is ended.
std::chrono::milliseconds Service::patience_with_a_connection() const {
  const auto timeout = configuration_.limits.connection_timeout;
  return configuration_.model.many_connections && timeout > 0ms ? timeout + loop_patience : timeout;
}

void Service::start(unsigned number, bool replacement, Time now) {
  const pid_t parent = ::getpid();
  for (unsigned i = 0; i < number; ++i) {
    const bool started = pool_->start(generation_, replacement, now, [&](std::uint32_t row) {
      in_child_();
      set_log_level(level_of(configuration_.log_level));
      return live({&server_, scoreboard_, index_, row, wake_fd_, listeners_.of_a_child(), identity_, parent,
                   limits_of_a_child()});
    });
    if (!started) {
      const int error_number = errno;
      throttle_.failed(now);
      log_error(text("service ", name(), ": ", std::string_view(SystemError("fork", error_number).what()),
                     "; trying again in ", std::max<Clock::duration>(throttle_.may_start() - now, 0s)));
      return;
    }
    throttle_.started(now);
  }
}

void Service::act(const Plan& plan, Time now) {
  start(plan.spawn, false, now);
  start(plan.spawn_replacements, true, now);
  pool_->retire(plan.retire_outdated, Reason::recycle, generation_);
  pool_->redeem(plan.redeem);
  pool_->retire(plan.retire_surplus, Reason::surplus, generation_);
  ServiceOrders& orders = scoreboard_->service_orders(index_);
  if (plan.pace.at_max_clients && !pace_.at_max_clients) add(orders.max_clients_reached, 1);
  if (plan.warn_max_clients) warn_of_max_clients();
  if (plan.at_max_clients) pool_->kill_stopped();
  orders.throttled_until.store(throttle_.active() ? to_nanoseconds(throttle_.may_start()) : 0, relaxed);
  pace_ = plan.pace;
}

void Service::warn_of_max_clients() {
  log_warning(text("service ", name(), ": max-clients = ", configuration_.limits.max_clients,
                   " is reached and more connections wait (", listeners_.backlog(),
                   "); raise max-clients if memory permits, or find out what keeps the children busy"));
}

// Children read the thresholds after they have flipped their bit; the parent counts again after it has moved
// them. One of the two sees the other. True: what the children did meanwhile is something to look at.
bool Service::publish(const Thresholds& wanted, unsigned idle_bits) {
  ServiceOrders& orders = scoreboard_->service_orders(index_);
  const bool raised = wanted.below > orders.wake_below.load(relaxed);
  const bool lowered = wanted.above < orders.wake_above.load(relaxed);
  orders.wake_below.store(wanted.below, seq_cst);
  orders.wake_above.store(wanted.above, seq_cst);
  const std::uint32_t bits_now = scoreboard_->count_idle(index_);
  return (raised && bits_now < wanted.below && bits_now < idle_bits) ||
         (lowered && bits_now > wanted.above && bits_now > idle_bits);
}

Time Service::look(Time now) {
  scoreboard_->service_gossip(index_).wake.store(0,
                                                 seq_cst);  // first this, then the table: nothing is missed
  step_of_stopping(now);
  const Time overdue = pool_->end_overdue(patience_with_a_connection(), now);
  Time next = std::min(overdue, deadline_of_stage(now));
  watches_listeners_ = false;
  if (stage_ == Stage::closing || stage_ == Stage::finishing) return next;

  lift_throttle(now);
  Census census;
  unsigned idle_bits = 0;
  lock_->change([&] {
    idle_bits = scoreboard_->count_idle(index_);
    census = pool_->tally().census(generation_, configuration_.limits.idle_timeout, now);
  });
  census.backlog = listeners_.backlog();
  // A child that has several connections leaves long before it is reaped, and may take a wake-up along. One
  // write into a FIFO wakes one child, whatever it brings.
  const bool may_strand =
      limits_of_a_child().connections > 1 || configuration_.model.takes == Arrivals::triggers;
  if ((look_for_stranded_ || may_strand) && census.backlog > 0 && census.idle > 0) pool_->nudge();
  look_for_stranded_ = false;

  pace_.may_start = fatal_exit_ ? never : throttle_.may_start();
  pace_.one_at_a_time = throttle_.active();
  const Plan plan = decide(census, configuration_.limits, pace_, now);
  act(plan, now);
  watches_listeners_ = plan.watch_listeners;
  const bool delayed = throttle_.active() && now < throttle_.may_start();
  if (delayed) next = std::min(next, throttle_.may_start());
  const Attention attention{.spares = census.idle,
                            .hidden = idle_bits > census.idle ? idle_bits - census.idle : 0,
                            .delayed = delayed,
                            .watch = configuration_.limits.connection_timeout > 0ms && overdue == never};
  if (publish(thresholds(plan, configuration_.limits, attention), idle_bits)) return now;
  return std::min(next, plan.look_again);
}

void Service::step_of_stopping(Time now) {
  if (stage_ == Stage::serving) return;
  const bool nobody_serves = pool_->count() == 0 && (fatal_exit_ || throttle_.active());
  if (stage_ == Stage::draining &&
      (nobody_serves || listeners_.drain().done(pool_->tally().accepted(), now))) {
    pool_->retire_all(Reason::stop);
    stage_ = Stage::closing;
  }
  // Nobody accepts any more: what is in the queue now is what will be lost.
  if (stage_ == Stage::closing &&
      ((pool_->tally().none_accepts() && listeners_.drain().settled(now)) || now >= limit_)) {
    listeners_.close_drained();
    stage_ = Stage::finishing;
  }
  if (stage_ == Stage::finishing && now >= limit_) pool_->kill_all("graceful-timeout is over");
}

Time Service::deadline_of_stage(Time now) {
  switch (stage_) {
    case Stage::serving:
      return listeners_.drain_on(now);
    case Stage::draining:
      return listeners_.drain().look_again(now);
    case Stage::closing:
      return std::min<Time>(limit_, now + 10ms);
    case Stage::finishing:
      return now < limit_ ? limit_ : never;
  }
  return never;
}

}  // namespace brood
