// SPDX-License-Identifier: MIT
// How a service takes a new configuration, and other limits until the next one.
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "parent/service.hpp"
#include "settings/service_command_settings.hpp"

namespace brood {

void Service::check(const ServiceConfiguration& configuration) const {
  const std::uint32_t most = host_->scoreboard().service(index_).slot_count;
  const unsigned wanted = in_effect(configuration).limits.max_clients;
  if (wanted > most)
    throw ConfigurationError(text("max-clients = ", wanted, " exceeds the ", most,
                                  " slots that the scoreboard was made with; more need a restart"));
}

void Service::prepare(const ServiceConfiguration& configuration) {
  check(configuration);
  if (run_.serving()) listeners_.prepare(configuration.listen_specs);
}

void Service::reload(ServiceConfiguration configuration, Time now) {
  check(configuration);
  revive_listeners();
  if (action_for(run_state(), ServiceOrder::reload) == ServiceAction::reload)
    listeners_.change(configuration.listen_specs, configuration.limits.graceful_timeout, now);
  // These settings need a restart.
  configuration.name = configuration_.name;
  configuration.user = configuration_.user;
  configuration.group = configuration_.group;
  configuration.listen_backlog = configuration_.listen_backlog;
  // So does the program if it is given something else: until then it would be given the wrong thing.
  if (configuration.command.gets_written != configuration_.command.gets_written)
    configuration.command = configuration_.command;
  configuration_ = in_effect(std::move(configuration));
  failure_hook_.set(configuration_.on_failure_words);
  scaled_ = {configuration_.limits, {}};
  ++generation_;
  growth_->forget_failures();  // the new configuration may have mended them
  run_.clear_failure();
  publish_limits();
}

void Service::scale(const ServiceConfiguration& scaled, ScaledSettings written) {
  check(scaled);
  const Limits limits = in_effect(scaled).limits;
  const Limits before = std::exchange(configuration_.limits, limits);
  scaled_.written = std::move(written);
  // A child learns these when it is forked: new values need new children.
  const auto of_new_children = [](const Limits& its) {
    return std::tuple(its.max_connections_per_child, its.connection_timeout, its.connection_idle_timeout);
  };
  if (configuration_.model.many_connections && of_new_children(before) != of_new_children(limits))
    ++generation_;
  publish_limits();
}

}  // namespace brood
