// SPDX-License-Identifier: MIT
#include "settings/service_command_settings.hpp"

#include <algorithm>
#include <csignal>

#include "base/service/limits.hpp"
#include "base/signals.hpp"
#include "brood/error.hpp"

namespace brood {

namespace {

SettingType<int> signal_type() {
  return {.kind = "signal, by name or number",
          .read =
              [](const std::string& word) {
                const auto signal = find_signal(word);
                if (!signal) throw ConfigurationError("is no signal");
                if (*signal == SIGKILL || *signal == SIGSTOP)
                  throw ConfigurationError("can't be handled by a program");
                return *signal;
              },
          .write = name_of_signal};
}

}  // namespace

void add_service_command_settings(Settings& settings, ServiceCommand& command) {
  settings.section("The program");
  Setting& program =
      settings.text("command", command.written,
                    "The program that children run: its absolute path and its arguments. They are split at "
                    "blanks, except in quotes or after a backslash; nothing else is expanded. (Double quotes "
                    "around the whole value are removed first. If the path contains blanks, begin with a "
                    "single quote.) SIGHUP starts the file that is on disk at that time.");
  program.kind = "program and arguments";
  using Values = std::vector<std::string>;
  program.parse = [&command](const Values& values) {
    return [&command, written = values.front(),
            words = values.front().empty() ? Values() : parse_command(values.front())] {
      command.written = written;
      command.words = words;
    };
  };
  settings
      .choice(
          "command-gets", command.gets_written, {command_gets_names.begin(), command_gets_names.end()},
          "What the program is given. slot: it is built with the kit and is a child like any other. "
          "listeners: it takes the listeners as systemd passes them (LISTEN_FDS); start-servers processes of "
          "it are kept running, and graceful-timeout and max-lifetime-per-child are the only other limits "
          "that "
          "have an effect. listener: the same for one listener, which is its standard input and output, as "
          "the "
          "'wait' of inetd. connection: children accept and run it for each connection, which is its "
          "standard "
          "input and output.")
      .applied_on = AppliedOn::service_restart;
  settings.value(
      "stop-signal", command.stop_signal, signal_type(),
      "The signal that makes a program with the listeners finish its connections and "
      "end: at a reload, when it is too old, at a stop, and when the parent has ended. SIGQUIT for "
      "nginx, php-fpm and unicorn, SIGUSR1 for haproxy. Other children do not need it.");
  settings.choice(
      "ready", command.ready, {{"exec", ReadyOn::exec}, {"notify", ReadyOn::notify}},
      "When a program that gets the listeners counts as running. exec: when it was executed. notify: "
      "when it has said READY=1 on the socket in NOTIFY_SOCKET, as sd_notify(3) does, within a "
      "minute after its start. Until then its predecessor serves on.");
  settings.list("success-codes", command.success_codes, 0, 255,
                "An exit code of a program that gets a connection with which the connection has not failed. "
                "sshd -i needs 0 and 255.");
}

ServiceConfiguration in_effect(ServiceConfiguration configuration) {
  if (!configuration.model.command) return configuration;
  switch (configuration.command.gets()) {
    case CommandGets::slot:
      break;
    case CommandGets::connection:
      configuration.model.work = WorkKind::connections;
      configuration.model.many_connections = false;
      break;
    case CommandGets::listener:
    case CommandGets::listeners: {
      Limits& limits = configuration.limits;
      limits.min_spare_servers = limits.start_servers;
      limits.max_spare_servers = std::max(limits.start_servers, 1U);
      // A replacement is started before its predecessor leaves.
      limits.max_clients = limits.max_spare_servers + recycle_budget(limits.max_spare_servers);
      limits.max_requests_per_child = 0;
      limits.max_memory_per_child = 0;
      limits.idle_timeout = {};
      limits.connection_timeout = {};
      limits.slow_timeout = {};
      break;
    }
  }
  return configuration;
}

}  // namespace brood
