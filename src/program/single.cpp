// SPDX-License-Identifier: MIT
#include "program/single.hpp"

#include <unistd.h>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_main.hpp"
#include "child/own_counters.hpp"
#include "listen/listeners.hpp"
#include "parent/child_kind.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {
namespace {

constexpr std::uint32_t its_slot = 0;

}  // namespace

int serve_single(std::vector<WantedService> services) {
  if (services.size() != 1)
    throw ConfigurationError(text("--single serves one service, and this program has ", services.size()));
  const WantedService& wanted = services.front();
  const ServiceConfiguration& configuration = *wanted.configuration;
  if (configuration.model.command)
    throw ConfigurationError(
        text("--single: the children of service ", wanted.name, " are programs; debug the program"));
  wanted.store();
  const Listeners listeners(wanted.name, configuration.listen_specs, configuration.listen_backlog,
                            configuration.model.work);
  wanted.server->on_parent_start();
  const Scoreboard scoreboard("", ServerFacts::of_this_process(wanted.name), wanted.name, 1);
  scoreboard.claim(its_slot, 1, Clock::now());
  scoreboard.writable_slot_orders(its_slot).pid.store(::getpid(), relaxed);
  scoreboard.service_orders().generation.store(1, relaxed);
  publish_counters(*wanted.server, scoreboard);
  if (configuration.admission.counts_clients())
    scoreboard.allocate_clients(limits_of_child(configuration).connections);
  if (configuration.sandbox.filter) log_warning("sandbox has no effect with --single");
  log_info(text("ready: ", wanted.name, " on ", listeners.addresses(), ", pid ", ::getpid(),
                ", a single process"));
  ChildSetup setup = setup_of_child(configuration);
  setup.server = wanted.server.get();
  setup.scoreboard = &scoreboard;
  setup.slot = its_slot;
  setup.listeners = listeners.of_a_child();
  return child_main(std::move(setup));
}

}  // namespace brood
