// SPDX-License-Identifier: MIT
// The orders that start and stop a service, and the stages of a stop: no connection is let in any more, the
// queues are emptied, the children finish their open connections, and those that take too long are killed.
#include <algorithm>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "parent/service.hpp"

namespace brood {

using Stage = ServiceRun::Stage;

void Service::obey(ServiceOrder order, Time now) {
  const LogScope scope(log_);
  switch (action_for(run_state(), order)) {
    case ServiceAction::start:
      return start(now);
    case ServiceAction::stop:
      return stop(stop_deadline(now));
    case ServiceAction::restart:
    case ServiceAction::start_later:
      host_->read_to_start(*this);  // wrong settings are refused while the service still runs
      stop(stop_deadline(now));
      return run_.restart_when_stopped(true);
    case ServiceAction::stay_stopped:
      return run_.restart_when_stopped(false);
    case ServiceAction::pause:
      return pause();
    case ServiceAction::resume:
      return resume();
    default:
      return;
  }
}

Time Service::stop_deadline(Time now) const {
  const auto timeout = configuration_->limits.graceful_timeout;
  return timeout.count() == 0 ? never : now + timeout;
}

void Service::start(Time now) {
  const bool starts_again = !run_.serving();
  if (starts_again) {
    WantedService wanted = host_->read_to_start(*this);
    const ServiceConfiguration& next = *wanted.configuration;
    open_log(next);
    listeners_.open_again(next.listen_specs, next.listen_backlog, next.model.work, now);
    for (const auto& line : wanted.need_restart) log_warning(line);
    take(std::move(wanted));
  }
  run_.start();
  growth_->start_over();
  publish_limits();  // port 0 is another port now
  note(DecisionKind::run);
  log_info(text("service ", name(), ": started again"));
  if (starts_again) call_reload_hook();
}

void Service::pause() {
  run_.pause();
  log_info(text("service ", name(), ": paused; new connections wait in the queue"));
  note(DecisionKind::pause);
  pool().retire_all(Reason::pause);
}

void Service::resume() {
  run_.resume();
  growth_->start_over();
  note(DecisionKind::resume);
  log_info(text("service ", name(), ": resumed"));
}

// The second half of a restart: the client that has ordered it may have gone.
void Service::start_again(const std::string& failure, Time now) {
  const LogScope scope(log_);
  if (!run_.restarts() || !ended()) return;
  run_.restart_when_stopped(false);
  try {
    if (!failure.empty()) throw Error(failure, ExitCode::sick);
    start(now);
  } catch (...) {
    run_.start_failed(what_was_thrown());
    log_error(
        text("service ", name(), ": can't be started again, and stays stopped: ", run_.start_failure()));
  }
}

void Service::stop(Time deadline) {
  const LogScope scope(log_);
  run_.restart_when_stopped(false);
  if (!run_.serving()) return;
  run_.stop(deadline);
  note(DecisionKind::stop);
  // Connections that are accepted at the last moment need time, too.
  const Time now = Clock::now();
  listeners_.drain_all(now, deadline == never ? never : now + (deadline - now) * 3 / 4);
}

void Service::stop_now(const char* why) {
  const LogScope scope(log_);
  run_.restart_when_stopped(false);
  run_.go_on_to(Stage::finishing);
  growth_->kill_all(why);
  listeners_.close_all();
}

void Service::paused(Clock::duration time, Time now) {
  const LogScope scope(log_);
  growth_->paused(now);
  run_.postpone(time);
}

void Service::note(DecisionKind kind) const { scoreboard_->journal().note({.kind = kind}); }

void Service::remove(Time now) {
  const LogScope scope(log_);
  run_.remove();
  const auto timeout = configuration_->limits.graceful_timeout;
  log_info(text("service ", name(), ": is no longer configured; open connections are finished",
                timeout.count() == 0 ? "" : text(", within ", timeout)));
  stop(stop_deadline(now));
}

void Service::advance_stop(const ChildCensus& census, Time now) {
  if (run_.serving()) return;
  const bool out_of_time = now >= run_.stop_deadline();
  if (run_.stage() == Stage::draining) {
    const bool nobody_serves = pool().count() == 0 && (run_.fatal_exit() || throttled());
    if (nobody_serves || listeners_.drain().done(census.accepted, now)) {
      pool().retire_all(Reason::stop);
      run_.go_on_to(Stage::closing);
    }
  }
  // When no child accepts any more, the connections that are still in the queues are those that are lost.
  if (run_.stage() == Stage::closing) {
    if ((!census.any_accepts && listeners_.drain().settled(now)) || out_of_time) {
      listeners_.close_drained();
      run_.go_on_to(Stage::finishing);
    }
  }
  if (run_.stage() == Stage::finishing && out_of_time && !ended())
    growth_->kill_all("graceful-timeout is over");
}

// Goes on with listeners that are drained, and returns when the next step is due.
Time Service::advance_listeners(Time now) {
  constexpr std::chrono::milliseconds between_looks_while_closing{10};
  const Time deadline = run_.stop_deadline();
  switch (run_.stage()) {
    case Stage::serving:
      return listeners_.drain_on(now);
    case Stage::draining:
      return listeners_.drain().look_again(now);
    case Stage::closing:
      return std::min<Time>(deadline, now + between_looks_while_closing);
    case Stage::finishing:
      return now < deadline ? deadline : never;
  }
  return never;
}

}  // namespace brood
