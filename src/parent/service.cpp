// SPDX-License-Identifier: MIT
#include "parent/service.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/log_target.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "settings/service_command_settings.hpp"

namespace brood {

Service::Service(ServiceConfiguration configuration, std::shared_ptr<ServerBase> server,
                 const HandedOverService& left)
    : configuration_(in_effect(std::move(configuration))),
      server_(std::move(server)),
      identity_(find_identity(configuration_.user, configuration_.group)),
      listeners_(configuration_.name, left.stopped ? std::vector<ListenSpec>() : configuration_.listen_specs,
                 configuration_.listen_backlog, configuration_.model.work, left.listeners),
      failure_hook_(configuration_.name),
      scaled_{configuration_.limits, {}} {
  failure_hook_.set(configuration_.on_failure_words);
}

std::uint32_t Service::slots_wanted() const {
  const std::uint32_t wanted = std::max(256U, 2 * configuration_.limits.max_clients);
  return (wanted + bits_per_word - 1) / bits_per_word * bits_per_word;
}

void Service::attach(ServiceHost& host, std::uint32_t index) {
  host_ = &host;
  index_ = index;
  growth_.emplace(host.scoreboard(), host.lock(), index);
}

void Service::publish_limits() {
  ServiceOrders& orders = host_->scoreboard().service_orders(index_);
  const Limits& limits = configuration_.limits;
  orders.generation.store(generation_, relaxed);
  orders.max_requests_per_child.store(limits.max_requests_per_child, relaxed);
  orders.start_servers.store(limits.start_servers, relaxed);
  orders.min_spare_servers.store(limits.min_spare_servers, relaxed);
  orders.max_spare_servers.store(limits.max_spare_servers, relaxed);
  orders.max_clients.store(limits.max_clients, relaxed);
  orders.detach_timeout.store(limits.detach_timeout.count(), relaxed);
  orders.scaled.store(limits == scaled_.by_settings ? 0 : 1, relaxed);
  const std::string all = listeners_.addresses();
  if (all.empty()) return;  // stopped: still shows where it will listen again
  orders.listeners.fill('\0');
  all.copy(orders.listeners.data(), orders.listeners.size() - 1);
}

Growth::Input Service::growth_input() {
  return {.configuration = configuration_,
          .kind = kind(),
          .listeners = listeners_,
          .generation = generation_,
          .may_start = !run_.fatal_exit(),
          .child_main = [this, parent = ::getpid()](std::uint32_t row) { return child_main(row, parent); }};
}

int Service::child_main(std::uint32_t row, pid_t parent) {
  const Scoreboard& scoreboard = host_->scoreboard();
  MappingDescriptors table = kind().copy_for_program(configuration_.command, scoreboard.descriptors());
  host_->close_in_child(*this);
  set_log_level(level_of(configuration_.log_level));
  const ChildSetup setup{.server = server_.get(),
                         .scoreboard = &scoreboard,
                         .service = index_,
                         .slot = row,
                         .wake_fd = host_->wake_descriptor(),
                         .listeners = listeners_.of_a_child(),
                         .identity = identity_,
                         .parent = parent,
                         .limits = limits_of_child(configuration_)};
  return kind().run(configuration_.command, setup, std::move(table));
}

Time Service::look(Time now) {
  const Scoreboard& scoreboard = host_->scoreboard();
  // The flag is cleared before the table is read: what children write later sets it again.
  const auto wake = scoreboard.service_gossip(index_).wake.exchange(0, std::memory_order_seq_cst);
  if ((wake & look_at_listeners) != 0) revive_listeners();
  growth_->take_detached(now);
  const ChildCensus census = growth_->census(growth_input(), now);
  advance_stop(census, now);
  start_if_stopped(now);
  scoreboard.service_orders(index_).state.store(static_cast<std::uint32_t>(state()), relaxed);
  const Time next = std::min(advance_listeners(now), failure_hook_.look(now));
  return std::min(next, growth_->look(growth_input(), census, run_.needs_children(), now));
}

void Service::child_ended(std::uint32_t slot, int code, int status, Time now) {
  if (kind().may_end_listeners()) revive_listeners();
  const pid_t pid = pool().children()[slot].pid;
  const ChildEnd end = growth_->child_ended(growth_input(), slot, code, status, now);
  if (end.failed) failure_hook_.note({slot, pid, code, status});
  const bool needed = run_.serving() || run_.stage() == ServiceRun::Stage::draining;
  if (!needed || end.asked) return;
  const bool fatal = end.exit_code == static_cast<int>(ExitCode::configuration) && !end.proven;
  if (fatal && !pool().census({}, now).any_serving) {
    log_error(text("service ", name(), ": a child reports that its configuration can't work (exit code ",
                   end.exit_code, "), and no other child serves; no more children are started"));
    run_.fail(end.exit_code);
  } else if (!end.proven || end.exit_code == static_cast<int>(ExitCode::sick)) {
    growth_->start_failed(name(), now);
  }
}

bool Service::process_ended(pid_t pid, int code, int status) {
  if (failure_hook_.reaped(pid, code, status)) return true;
  bool failed = false;
  if (!growth_->detached_ended(pid, code, status, failed)) return false;
  if (failed) failure_hook_.note({{}, pid, code, status});
  return true;
}

void Service::add_watched(std::vector<pollfd>& to) const {
  if (watches_listeners()) listeners_.add_watched(to);
}

void Service::revive_listeners() {
  if (!run_.serving() || !listeners_.revive()) return;
  ++generation_;  // the children have the former listeners
  publish_limits();
}

// ---- over exec()

HandedOverService Service::hand_over() const {
  // A service that was removed is not in the settings of the next program.
  if (!refuses(ServiceOrder::upgrade).empty() || removed())
    throw Error(text("service ", name(), " is stopping: wait until it has stopped"));
  HandedOverService to{.name = name(),
                       .generation = generation_,
                       .paused = run_state() == RunState::paused,
                       .stopped = run_state() == RunState::stopped,
                       .drain_until = listeners_.drain_until(),
                       .listeners = listeners_.hand_over(),
                       .children = {},
                       .detached = growth_->detached().all(),
                       .on_failure = failure_hook_.hand_over(),
                       .scaled = scaled_.written};
  for (const std::uint32_t slot : pool().children().used())
    to.children.push_back({slot, pool().children()[slot]});
  return to;
}

void Service::take_over(Takeover& takeover, Time now) {
  const HandedOverService& from = *takeover.find(name());
  std::vector<Listener> serving, drained;
  for (const auto& listener : from.listeners)
    (listener.drained ? drained : serving).emplace_back(takeover.claim(listener.descriptor), listener);
  listeners_.take_over(std::move(serving), std::move(drained), now, from.drain_until);
  growth_->take_over(from);
  failure_hook_.take_over(from.on_failure);
  generation_ = from.generation;
  if (from.paused) run_.pause();
  if (from.stopped) run_.go_on_to(ServiceRun::Stage::finishing);
  if (!takeover.given_back()) {
    ++generation_;
    take_new_listeners(now);
  }
  publish_limits();
}

void Service::take_new_listeners(Time now) {
  if (!run_.serving()) return;
  try {
    listeners_.change(configuration_.listen_specs, configuration_.limits.graceful_timeout, now);
  } catch (const Error& error) {
    log_error(text("service ", name(), ": ", std::string_view(error.what()),
                   "; the listeners of the former program are kept"));
  }
}

}  // namespace brood
