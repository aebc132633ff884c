// SPDX-License-Identifier: MIT
// How a service takes a new configuration, and other limits until the next one.
#include <tuple>
#include <utility>

#include "base/address.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/sandbox/path_rules.hpp"
#include "listen/listen_trial.hpp"
#include "parent/service.hpp"

namespace brood {

void Service::check(const ServiceConfiguration& configuration) const {
  const std::uint32_t most = scoreboard_->slots();
  const unsigned wanted = configuration.limits.max_clients;
  if (wanted > most)
    throw ConfigurationError(text("max-clients = ", wanted, " exceeds the ", most,
                                  " slots that the scoreboard was made with; more need a restart"));
}

void Service::try_reload(const ServiceConfiguration& configuration) const {
  check(configuration);
  for (const auto& spec : configuration.listen_specs)
    if (!listeners_.has_already(spec)) try_listener(spec);
}

void Service::look_up_addresses(const ServiceConfiguration& configuration, bool starts) const {
  // A drain may end before the listener could be taken back from it.
  for (const auto& spec : configuration.listen_specs)
    if (starts || !listeners_.is_open(spec)) try_to_resolve(spec);
}

void Service::prepare(const ServiceConfiguration& configuration) {
  check(configuration);
  if (run_.serving()) listeners_.prepare(configuration.listen_specs);
}

void Service::reload(WantedService wanted, Time now) {
  const LogScope scope(log_);
  const ServiceConfiguration& next = *wanted.configuration;
  check(next);
  const ServiceLog before = log_;
  const SandboxSettings sandbox = configuration_->sandbox;
  open_log(next);
  revive_listeners();
  try {
    if (action_for(run_state(), ServiceOrder::reload) == ServiceAction::reload)
      listeners_.change(next.listen_specs, next.limits.graceful_timeout, now);
  } catch (...) {
    log_ = before;
    throw;
  }
  ++generation_;
  take(std::move(wanted));
  if (!configuration_->sandbox.has_paths_of(sandbox)) tell_of_paths(name(), configuration_->sandbox);
  note(DecisionKind::reload);
}

// A file belongs to the user of the children, so that they can open it again.
void Service::open_log(const ServiceConfiguration& configuration) {
  log_.open(LogTarget::of(configuration.log, log_in_use().name, configuration.identity.user));
}

// Nothing here can be refused any more.
void Service::take(WantedService wanted) {
  configuration_ = std::move(wanted.configuration);
  server_ = std::move(wanted.server);
  try {
    wanted.store();
  } catch (...) {
    log_error(text("service ", name(), ": a setting of its own was not stored: ", what_was_thrown()));
  }
  failure_hook_.set(configuration_->on_failure_words);
  growth_->forget_failures();  // the new configuration may have mended them
  run_.clear_failure();
  publish_limits();
}

void Service::call_reload_hook() {
  const LogScope scope(log_);
  try {
    server_->on_reload();
  } catch (...) {
    log_error(text("on_reload: ", what_was_thrown()));
  }
}

void Service::scale(std::shared_ptr<const ServiceConfiguration> scaled) {
  const LogScope scope(log_);
  check(*scaled);
  const auto before = std::exchange(configuration_, std::move(scaled));
  // A child learns these when it is forked: new values need new children.
  const auto of_new_children = [](const Limits& its) {
    return std::tuple(its.max_connections_per_child, its.connection_timeout, its.connection_idle_timeout);
  };
  if (configuration_->model.many_connections && of_new_children(before->limits) != of_new_children(limits()))
    ++generation_;
  publish_limits();
  note(DecisionKind::scale);
}

}  // namespace brood
