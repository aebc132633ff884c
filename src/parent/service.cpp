// SPDX-License-Identifier: MIT
#include "parent/service.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "base/log_target.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "models/executed_child.hpp"
#include "settings/command_settings.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto seq_cst = std::memory_order_seq_cst;
constexpr auto loop_patience = 5s;
// Of a program that tells nothing: how long it has to live to be proven good, and how long for its
// predecessor to be told to leave, or to be believed that it is done where it was started on demand.
constexpr Clock::duration program_trial = 10s;
constexpr Clock::duration first_trial = 1s;

}  // namespace

Service::Service(ServiceConfiguration configuration, std::shared_ptr<ServerBase> server,
                 const HandedOverService& left)
    : configuration_(in_effect(std::move(configuration))),
      server_(std::move(server)),
      identity_(find_identity(configuration_.user, configuration_.group)),
      listeners_(configuration_.name, left.stopped ? std::vector<ListenSpec>() : configuration_.listen_specs,
                 configuration_.listen_backlog, configuration_.model.work, left.listeners),
      failure_command_(configuration_.name),
      limits_by_settings_(configuration_.limits) {
  failure_command_.set(configuration_.on_failure_words);
}

std::uint32_t Service::slots_wanted() const {
  const std::uint32_t wanted = std::max(256U, 2 * configuration_.limits.max_clients);
  return (wanted + bits_per_word - 1) / bits_per_word * bits_per_word;
}

void Service::settle(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index, int wake_fd,
                     std::function<void(const Service& of)> in_child) {
  scoreboard_ = &scoreboard;
  lock_ = &lock;
  index_ = index;
  wake_fd_ = wake_fd;
  in_child_ = std::move(in_child);
  pool_.emplace(scoreboard, lock, index);
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
  orders.detach_timeout.store(limits.detach_timeout.count(), relaxed);
  orders.scaled.store(limits == limits_by_settings_ ? 0 : 1, relaxed);
  const std::string all = listeners_.addresses();
  if (all.empty()) return;  // stopped: shows where it will listen again
  orders.listeners.fill('\0');
  all.copy(orders.listeners.data(), orders.listeners.size() - 1);
}

void Service::reaped(std::uint32_t slot, int code, int status, Time now) {
  // Before the slot's figures are gone: this child, or another one, may have proved itself.
  lift_throttle(now);
  if (silent()) revive_listeners();  // the last thing that it has done, maybe
  const pid_t pid = pool_->children()[slot].pid;
  const ChildEnd end = pool_->reaped(slot, code, status, silent() && has_served(slot, code, status, now));
  look_for_stranded_ = true;
  if (end.failed) failure_command_.note({slot, pid, code, status});
  if (stage_ == Stage::closing || stage_ == Stage::finishing || end.asked) return;
  const bool hopeless = end.exit_code == static_cast<int>(ExitCode::configuration) && !end.proven;
  if (hopeless && !pool_->census().any_serving()) {
    log_error(text("service ", name(), ": a child says that its configuration can't work (exit code ",
                   end.exit_code, "), and none serves; the service is stopped"));
    fatal_exit_ = end.exit_code;
  } else if (!end.proven || end.exit_code == static_cast<int>(ExitCode::sick)) {
    const auto delay_before = throttle_.delay();
    throttle_.failed(now);
    if (throttle_.delay() != delay_before)
      log_warning(text("service ", name(), ": children fail at once; the next one is started in ",
                       std::max<Clock::duration>(throttle_.may_start() - now, 0s)));
  }
}

bool Service::reaped_without_slot(pid_t pid, int code, int status) {
  if (failure_command_.reaped(pid, code, status)) return true;
  if (!detached_.has(pid)) return false;
  const bool failed = detached_.reaped(pid, code, status);
  ServiceOrders& orders = scoreboard_->service_orders(index_);
  orders.detached.store(detached_.count(), relaxed);
  if (!failed) return true;
  add(orders.children_failed, 1);
  failure_command_.note({{}, pid, code, status});
  return true;
}

// Their slots are free for others, but max-clients counts them as before.
void Service::let_detached_go(Time now) {
  for (const ChildRecord& child : pool_->take_detached()) {
    detached_.add(child, now);
    look_for_stranded_ = true;  // it may have taken a wake-up along
  }
  scoreboard_->service_orders(index_).detached.store(detached_.count(), relaxed);
}

void Service::lift_throttle(Time now) {
  if (!throttle_.active()) return;
  const ChildCensus& children = pool_->census();
  const Time failure = throttle_.last_failure();
  if (silent() ? children.lived_since(failure, std::max(program_trial, throttle_.delay()), now)
               : children.proven_since(failure, throttle_.delay(), now))
    throttle_.cleared();
}

// For a program that tells nothing of its connections. Started because one waited, it may also have served
// what there was and ended; if more waits now that may have come in this moment, unless it ends at once.
bool Service::has_served(std::uint32_t slot, int code, int status, Time now) const {
  const auto age = pool_->census().age(slot, now);
  const bool done = code == CLD_EXITED && status == 0 && starts_on_demand();
  return (done && (listeners_.backlog() == 0 || age >= std::max(first_trial, throttle_.delay()))) ||
         age >= std::max(program_trial, throttle_.delay());
}

void Service::check(const ServiceConfiguration& configuration) const {
  const std::uint32_t most = scoreboard_->service(index_).slot_count;
  const unsigned wanted = in_effect(configuration).limits.max_clients;
  if (wanted > most)
    throw ConfigurationError(text("max-clients = ", wanted, " exceeds the ", most,
                                  " slots that the scoreboard was made with; more need a restart"));
}

void Service::prepare(const ServiceConfiguration& configuration) {
  check(configuration);
  if (stage_ == Stage::serving) listeners_.prepare(configuration.listen_specs);
}

void Service::reload(ServiceConfiguration configuration, Time now) {
  check(configuration);
  revive_listeners();
  // One that is stopped stays stopped, and takes what is new when it is started again.
  if (stage_ == Stage::serving)
    listeners_.change(configuration.listen_specs, configuration.limits.graceful_timeout, now);
  // What only a restart changes stays as it was.
  configuration.name = configuration_.name;
  configuration.user = configuration_.user;
  configuration.group = configuration_.group;
  configuration.listen_backlog = configuration_.listen_backlog;
  // A program that is to be given something else waits, too: until then it would be given the wrong thing.
  if (configuration.command.gets_written != configuration_.command.gets_written)
    configuration.command = configuration_.command;
  configuration_ = in_effect(std::move(configuration));
  failure_command_.set(configuration_.on_failure_words);
  limits_by_settings_ = configuration_.limits;
  scaled_.clear();
  ++generation_;
  throttle_.cleared();  // what failed may be mended
  fatal_exit_.reset();
  publish_limits();
}

void Service::revive_listeners() {
  if (stage_ != Stage::serving || !listeners_.revive()) return;
  ++generation_;  // children that have the former ones are of no more use
  publish_limits();
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
ChildTimeLimits Service::patience() const {
  const Limits& limits = configuration_.limits;
  const auto timeout = limits.connection_timeout;
  const bool loops = configuration_.model.many_connections;
  // Nobody knows what a program that tells nothing has in hand.
  return {.connection = loops && timeout > 0ms ? timeout + loop_patience : timeout,
          .leave = silent() ? limits.graceful_timeout : limits.leave_timeout,
          .leave_setting = silent() ? "graceful-timeout" : "leave-timeout"};
}

void Service::start(unsigned number, bool replacement, Time now) {
  const pid_t parent = ::getpid();
  for (unsigned i = 0; i < number; ++i) {
    const bool started = pool_->start(generation_, replacement, now, [&](std::uint32_t row) {
      const bool execs = configuration_.model.command;
      auto table =
          execs ? for_child(configuration_.command, scoreboard_->descriptors()) : MappingDescriptors();
      in_child_(*this);
      set_log_level(level_of(configuration_.log_level));
      const ChildSetup setup{server_.get(), scoreboard_, index_,
                             row,           wake_fd_,    listeners_.of_a_child(),
                             identity_,     parent,      limits_of_a_child()};
      return execs ? execute(configuration_.command, setup, std::move(table)) : child_main(setup);
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

// ChildTable read the thresholds after they have flipped their bit; the parent counts again after it has
// moved them. One of the two sees the other. True: what the children did meanwhile is something to look at.
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
  // First this, then the table: nothing is missed.
  if ((scoreboard_->service_gossip(index_).wake.exchange(0, seq_cst) & look_at_listeners) != 0)
    revive_listeners();
  let_detached_go(now);
  step_of_stopping(now);
  start_after_stop(now);
  scoreboard_->service_orders(index_).state.store(static_cast<std::uint32_t>(state()), relaxed);
  const Time overdue = pool_->end_overdue(patience(), now);
  Time next = std::min({overdue, deadline_of_stage(now), failure_command_.look(now),
                        detached_.end_overdue(configuration_.limits.detach_timeout, now)});
  watches_listeners_ = false;
  if (stage_ == Stage::closing || stage_ == Stage::finishing || paused_) return next;

  lift_throttle(now);
  Census census;
  unsigned idle_bits = 0;
  {
    const auto locked = lock_->take();
    idle_bits = scoreboard_->count_idle(index_);
    census = pool_->census().census(generation_, configuration_.limits.idle_timeout,
                                    silent() ? first_trial : Clock::duration::zero(), now);
  }
  census.total += detached_.count();
  census.backlog = listeners_.backlog();
  // Whoever has the listeners takes what waits; the first one has to be started.
  if (silent()) census.backlog = census.idle + census.starting > 0 ? 0 : std::min(census.backlog, 1U);
  // A child that has several connections leaves long before it is reaped, and may take a wake-up along. One
  // write into a FIFO wakes one child, whatever it brings.
  const bool may_strand =
      limits_of_a_child().connections > 1 || fits(configuration_.model.work, WorkKind::triggers);
  if ((look_for_stranded_ || may_strand) && census.backlog > 0 && census.idle > 0) pool_->nudge();
  look_for_stranded_ = false;

  pace_.may_start = fatal_exit_ ? never : throttle_.may_start();
  pace_.one_at_a_time = throttle_.active();
  const Plan plan = decide(census, configuration_.limits, pace_, now);
  act(plan, now);
  // Who was started or told to leave has a limit from now on, and may never say a word.
  const unsigned moved = plan.spawn + plan.spawn_replacements + plan.retire_outdated + plan.retire_surplus;
  if (moved > 0) next = std::min(next, pool_->end_overdue(patience(), now));
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

}  // namespace brood
