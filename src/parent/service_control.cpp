// SPDX-License-Identifier: MIT
// What an operator orders of one service while the others go on.
#include "parent/service.hpp"

#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "settings/command_settings.hpp"

namespace brood {

ServiceState Service::state() const {
  if (stage_ != Stage::serving) return ended() ? ServiceState::stopped : ServiceState::stopping;
  if (fatal_exit_) return ServiceState::failed;
  return paused_ ? ServiceState::paused : ServiceState::running;
}

void Service::pause() {
  paused_ = true;
  log_info(text("service ", name(), ": paused, what comes waits in the queue"));
  pool_->retire_all(Reason::pause);
}

void Service::resume() {
  paused_ = false;
  pace_ = {};  // start-servers at once
  throttle_.cleared();
  look_for_stranded_ = true;
  log_info(text("service ", name(), ": resumed"));
}

void Service::start_again(Time now) {
  if (stage_ != Stage::serving) listeners_.change(configuration_.listen_specs, {}, now);
  stage_ = Stage::serving;
  limit_ = never;
  pace_ = {};
  throttle_.cleared();
  fatal_exit_.reset();
  start_failure_.clear();
  publish_limits();  // port 0 is another one now
  log_info(text("service ", name(), ": started again"));
}

void Service::restart(Time limit) {
  stop(limit);
  starts_after_stop_ = true;
  start_failure_.clear();
}

// By itself: whoever has ordered the restart may be gone by now.
void Service::start_after_stop(Time now) {
  if (!starts_after_stop_ || !ended()) return;
  starts_after_stop_ = false;
  try {
    start_again(now);
  } catch (const Error& error) {
    start_failure_ = error.what();
    log_error(text("service ", name(),
                   ": can't be started again, and stays stopped: ", std::string_view(error.what())));
  }
}

void Service::scale(const ServiceConfiguration& scaled, ScaledSettings written) {
  check(scaled);
  const Limits limits = in_effect(scaled).limits;
  const Limits before = std::exchange(configuration_.limits, limits);
  scaled_ = std::move(written);
  // What a child is told at its birth takes new children.
  const auto told_at_birth = [](const Limits& its) {
    return std::tuple(its.max_connections_per_child, its.connection_timeout, its.connection_idle_timeout);
  };
  if (configuration_.model.many_connections && told_at_birth(before) != told_at_birth(limits)) ++generation_;
  publish_limits();
}

}  // namespace brood
