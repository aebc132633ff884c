// SPDX-License-Identifier: MIT
#include "parent/service.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/event_descriptor.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/own_counters.hpp"
#include "child/sandbox/path_rules.hpp"
#include "parent/server_program.hpp"

namespace brood {
namespace {

void tell_doubles(const ServiceConfiguration& configuration) {
  for (const auto& written : configuration.listen_doubles)
    log_info(
        text("service ", configuration.name, ": listen = ", written, " is given twice, and is opened once"));
}

// So that max-clients can be raised while the service runs.
std::uint32_t slots_for(const Limits& limits) { return std::max(256U, 2 * limits.max_clients); }

}  // namespace

Service::Service(WantedService wanted, const HandedOverService& left)
    : configuration_(std::move(wanted.configuration)),
      server_(std::move(wanted.server)),
      listeners_(configuration_->name,
                 left.stopped ? std::vector<ListenSpec>() : configuration_->listen_specs,
                 configuration_->listen_backlog, configuration_->model.work, left.listeners),
      failure_hook_(configuration_->name),
      log_(configuration_->name),
      output_(configuration_->name),
      forbidden_calls_(configuration_->name) {
  open_log(*configuration_);
  const LogScope scope(log_);
  if (left.name.empty() && !may_signal(configuration_->identity))
    throw ConfigurationError(
        text("service ", name(), ": this process may not send signals to children of user ",
             configuration_->identity.name,
             ", so that it could neither replace nor stop them: give it the capability CAP_KILL, or start it "
             "as that user, without the setting user"));
  if (left.name.empty() && stays_root(configuration_->identity) && !configuration_->allow_root)
    log_warning(
        text("service ", name(), ": its children run as root; set user, or allow-root = yes if they must"));
  failure_hook_.set(configuration_->on_failure_words);
  tell_doubles(*configuration_);
  tell_of_paths(name(), configuration_->sandbox);
  wanted.store();
}

void Service::attach(ServiceHost& host, std::uint32_t position) {
  host_ = &host;
  scoreboard_.emplace(host.scoreboards().of(name()), host.facts(), name(), slots_for(configuration_->limits),
                      position);
  host.scoreboards().share(*scoreboard_);
  publish_counters(*server_, *scoreboard_);
  growth_.emplace(*scoreboard_);
}

void Service::attach(ServiceHost& host, const Takeover& takeover) {
  host_ = &host;
  scoreboard_.emplace(takeover.open_scoreboard(name()));
  publish_counters(*server_, *scoreboard_);
  growth_.emplace(*scoreboard_);
}

void Service::publish_limits() {
  ServiceOrders& orders = scoreboard_->service_orders();
  const Limits& limits = configuration_->limits;
  orders.generation.store(generation_, relaxed);
  orders.max_requests_per_child.store(limits.max_requests_per_child, relaxed);
  orders.max_memory_per_child.store(limits.max_memory_per_child, relaxed);
  orders.start_servers.store(limits.start_servers, relaxed);
  orders.min_spare_servers.store(limits.min_spare_servers, relaxed);
  orders.max_spare_servers.store(limits.max_spare_servers, relaxed);
  orders.max_clients.store(limits.max_clients, relaxed);
  orders.detach_timeout.store(limits.detach_timeout.count(), relaxed);
  orders.scaled.store(configuration_->scaled.empty() ? 0 : 1, relaxed);
  orders.unreported.store(counts_connections() ? 0 : 1, relaxed);
  const StatusSettings& status = configuration_->status;
  orders.failed_warning.store(status.failed_warning, relaxed);
  orders.failed_critical.store(status.failed_critical, relaxed);
  orders.wait_warning.store(status.wait_warning.count(), relaxed);
  orders.wait_critical.store(status.wait_critical.count(), relaxed);
  allocate_clients();
  const std::string all = listeners_.addresses();
  const std::vector<ino_t> inodes = listeners_.inodes();
  for (std::size_t i = 0; i < orders.listener_inodes.size(); ++i)
    orders.listener_inodes[i].store(i < inodes.size() ? inodes[i] : 0, relaxed);
  if (all.empty()) return;  // stopped: still shows where it will listen again
  orders.listeners.fill('\0');
  all.copy(orders.listeners.data(), orders.listeners.size() - 1);
}

// Only then, because it takes memory.
void Service::allocate_clients() {
  if (!configuration_->admission.counts_clients()) return;
  const ChildLimits child = limits_of_child(*configuration_);
  try {
    scoreboard_->allocate_clients(std::size_t{limits().max_clients} * child.connections);
  } catch (const SystemError& error) {
    log_error(
        text("service ", name(),
             ": there is no memory to count clients, and max-connections-per-client and client-rate may "
             "have no effect: ",
             std::string_view(error.what())));
  }
}

Growth::Input Service::growth_input() {
  return {.configuration = *configuration_,
          .kind = kind(),
          .listeners = listeners_,
          .generation = generation_,
          .may_start = !run_.fatal_exit(),
          .prepare_start = [this] { prepare_start(); },
          .child_main = [this, parent = ::getpid()](std::uint32_t slot) { return child_main(slot, parent); },
          .tell_activity = figures_.waits_for_activity(),
          .note_slow = [this](SlowConnection slow) { reports_.of_slow.note(std::move(slow)); }};
}

bool Service::has_started() const {
  if (kind().reports() || starts_on_demand(limits())) return ready();
  const Time now = Clock::now();
  return pool().census(kind().census_rules(throttle(), now), now).any_lasting;
}

void Service::add_load(ServerLoad& to) const {
  to.children += pool().count();
  to.busy += pool().count_busy();
  to.spare += scoreboard_->count_idle();
  to.max_clients += limits().max_clients;
  to.waiting += listeners_.backlog();
}

std::optional<MemoryNeed> Service::memory_need(std::uint64_t of_parent) const {
  for (const std::uint32_t slot : pool().children().used()) {
    if (pool().rows().lifecycle(slot).phase != Phase::serving) continue;
    const std::uint64_t its = anonymous_memory_of(pool().children()[slot].pid).value_or(0);
    return MemoryNeed{name(), limits().max_clients,
                      memory_of_child(its, of_parent, !configuration_->model.command)};
  }
  return {};
}

void Service::forget_all() {
  listeners_.forget();
  scoreboard_.reset();
  log_.forget();
}

void Service::take_wake() {
  const LogScope scope(log_);
  if (clear_event(scoreboard_->wake_descriptor()) >= static_cast<std::uint64_t>(Wake::look_at_listeners))
    revive_listeners();
}

Time Service::look(Time now) {
  const LogScope scope(log_);
  const Time notices_again = notices_.look(takes_ready(), now);
  const Time audit_again = growth_->audit(name(), now);
  growth_->notice(growth_input(), now);
  const ChildCensus census = growth_->census(growth_input(), now);
  advance_stop(census, now);
  if (run_.restarts() && ended()) host_->look_up_to_start(*this);
  scoreboard_->service_orders().state.store(static_cast<std::uint32_t>(state()), relaxed);
  const Time next =
      std::min({advance_listeners(now), failure_hook_.look(now), reports_.of_crashes.look(crash_place(), now),
                output_.look(now), forbidden_calls_.look(now), notices_again, audit_again});
  const Time growth_again = growth_->look(growth_input(), census, run_.needs_children(), now);
  return std::min({next, growth_again, reports_.of_slow.look(name(), slow_place(), now),
                   figures_.look(configuration_->status.figures_interval, *scoreboard_, now)});
}

void Service::child_ended(std::uint32_t slot, int code, int status, const ProcessUsage& usage, Time now) {
  const LogScope scope(log_);
  if (kind().may_end_listeners()) revive_listeners();
  const pid_t pid = pool().children()[slot].pid;
  output_.child_ended(pid, now);
  ChildEnd end = growth_->child_ended(growth_input(), slot, code, status, now);
  if (end.crash) {
    end.crash->service = name();
    end.crash->memory = usage.memory;
    end.crash->processor = usage.processor;
    reports_.of_crashes.note(std::move(*end.crash));
  }
  if (end.failed) failure_hook_.note({slot, pid, code, status});
  advise(kind().advice(configuration_->command, end, code, status));
  const bool needed = run_.serving() || run_.stage() == ServiceRun::Stage::draining;
  if (!needed || end.asked) return;
  const bool fatal = end.exit_code == static_cast<int>(ExitCode::configuration) && !end.used;
  if (fatal && !pool().census({}, now).any_serving) {
    log_error(text("service ", name(), ": a child reports that its configuration can't work (exit code ",
                   end.exit_code, "), and no other child serves; no more children are started"));
    run_.fail(end.exit_code);
  } else if (!end.proven || end.exit_code == static_cast<int>(ExitCode::sick)) {
    growth_->start_failed(name(), now);
  }
}

void Service::advise(std::string_view advice) {
  if (advice.empty() || advised_ == generation_) return;
  advised_ = generation_;
  log_warning(text("service ", name(), ": ", advice));
}

bool Service::process_ended(pid_t pid, int code, int status) {
  const LogScope scope(log_);
  if (failure_hook_.reaped(pid, code, status) || reports_.reaped(pid, code, status)) return true;
  bool failed = false;
  if (!growth_->detached_ended(pid, code, status, failed)) return false;
  output_.child_ended(pid, Clock::now());
  if (failed) failure_hook_.note({{}, pid, code, status});
  return true;
}

void Service::add_watched(std::vector<pollfd>& to) const {
  if (watches_listeners()) listeners_.add_watched(to);
}

void Service::revive_listeners() {
  const LogScope scope(log_);
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
                       .scoreboard = HandedOverScoreboard::of(*scoreboard_, host_->scoreboards().of(name())),
                       .generation = generation_,
                       .paused = run_state() == RunState::paused,
                       .stopped = run_state() == RunState::stopped,
                       .drain_until = listeners_.drain_until(),
                       .listeners = listeners_.hand_over(),
                       .children = {},
                       .detached = growth_->detached().all(),
                       .log_channel = {},
                       .on_failure = failure_hook_.hand_over(),
                       .output = output_.hand_over(),
                       .notify_descriptor = notices_.descriptor(),
                       .sandboxes = forbidden_calls_.hand_over(),
                       .throttle = throttle().left(),
                       .figures = figures_.hand_over(),
                       .settings = configuration_->given,
                       .scaled = configuration_->scaled};
  if (const LogChannel* const channel = log_.channel()) to.log_channel = channel->descriptors();
  for (const std::uint32_t slot : pool().children().used())
    to.children.push_back({slot, pool().children()[slot]});
  return to;
}

void Service::take_over(Takeover& takeover, Time now) {
  const LogScope scope(log_);
  const HandedOverService& from = *takeover.find(name());
  std::vector<Listener> serving, drained;
  for (const auto& listener : from.listeners)
    (listener.drained ? drained : serving).emplace_back(takeover.claim(listener.descriptor), listener);
  listeners_.take_over(std::move(serving), std::move(drained), now, from.drain_until);
  growth_->take_over(from, !takeover.given_back());
  failure_hook_.take_over(from.on_failure);
  figures_.take_over(from.figures);
  if (from.output.read_descriptor >= 0)
    output_.take_over(takeover.claim(from.output.read_descriptor),
                      takeover.claim(from.output.write_descriptor), from.output);
  if (from.notify_descriptor >= 0) notices_.take_over(takeover.claim(from.notify_descriptor));
  take_over_sandboxes(takeover, from.sandboxes);
  takeover.claim_log_channel(log_.channel(), from.log_channel);
  generation_ = from.generation;
  if (from.paused) run_.pause();
  if (from.stopped) run_.go_on_to(ServiceRun::Stage::finishing);
  if (!takeover.given_back()) {
    ++generation_;
    take_new_listeners(now);
  }
  publish_limits();
  if (!takeover.given_back()) note(DecisionKind::upgrade);
}

void Service::take_over_sandboxes(Takeover& takeover, const HandedOverSandboxes& left) {
  if (left.receiver_descriptor >= 0)
    forbidden_calls_.take_over(
        {takeover.claim(left.receiver_descriptor), takeover.claim(left.sender_descriptor)});
  for (const auto& sandbox : left.sandboxes)
    forbidden_calls_.take_over(takeover.claim(sandbox.descriptor), sandbox.child, sandbox.forbids);
}

void Service::take_new_listeners(Time now) {
  if (!run_.serving()) return;
  try {
    listeners_.change(configuration_->listen_specs, configuration_->limits.graceful_timeout, now);
  } catch (const Error& error) {
    log_error(text("service ", name(), ": ", std::string_view(error.what()),
                   "; the listeners of the former program are kept"));
  }
}

}  // namespace brood
