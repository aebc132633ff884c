// SPDX-License-Identifier: MIT
#include "settings/service_command_settings.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>

#include "base/service/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
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

void add_own_settings(Settings& settings, OwnSettings& own) {
  settings
      .list(
          "settings", own.values,
          "A setting of the program itself, KEY=VALUE. In the file of a service, the lines behind [settings] "
          "are such settings, as 'KEY = VALUE'.")
      .has_section = true;
  settings.choice(
      "settings-as", own.given_as, {{"arguments", GivenAs::arguments}, {"environment", GivenAs::environment}},
      "How the program is given its settings. arguments: as --KEY=VALUE behind those of command, "
      "which everybody on the machine can read. environment: as variables: KEY in upper case, with "
      "'_' for '-' and '.'.");
  settings.text("settings-prefix", own.prefix, "What is in front of each KEY in the environment.");
  settings.text(
      "settings-check", own.check,
      "A command that checks the settings of the program before they come into force: its absolute "
      "path and its arguments. It runs as the user of children, is given the settings as the program "
      "is, and has 5 seconds. If it does not exit with 0, what it has written to standard error is "
      "the mistake. Empty: a program that takes a slot checks its settings itself (--test-config). "
      "none: nobody checks them.");
}

constexpr auto no_check = "none";

// A program may have lists: then a key comes several times among its arguments.
void check_variables(const OwnSettings& own, SettingsReader& reader) {
  const auto variables = variables_of(own);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const auto is_same = [&](const std::string& other) { return own_key(other) == own_key(variables[i]); };
    const auto first = std::ranges::find_if(variables, is_same) - variables.begin();
    if (static_cast<std::size_t>(first) == i) continue;
    reader.blame(
        "settings",
        text("settings = ", own.values[i], ": the variable ", own_key(variables[i]), " is already set at ",
             reader.find("settings")->where_of(static_cast<std::size_t>(first))),
        i);
  }
}

}  // namespace

void check_own_settings(ServiceConfiguration& service, SettingsReader& reader) {
  ServiceCommand& command = service.command;
  OwnSettings& own = command.own;
  // The program reads such an argument, but as a child it goes by what its parent says.
  const bool reads_kits = command.gets() == CommandGets::slot && own.given_as == GivenAs::arguments;
  const auto blame = [&](const char* setting, const std::string& value, const auto& check, std::size_t i) {
    try {
      check();
    } catch (const Error& error) {
      reader.blame(setting, text(setting, " = ", value, ' ', std::string_view(error.what())), i);
    }
  };
  for (std::size_t i = 0; i < own.values.size(); ++i)
    blame(
        "settings", own.values[i],
        [&] {
          check_own_setting(own.values[i]);
          if (!service.model.command) throw ConfigurationError("is for a program, and there is no command");
          if (reads_kits && reader.knows(own_key(own.values[i])))
            throw ConfigurationError("is a setting of the service: write it in front of [settings]");
        },
        i);
  blame(
      "settings-prefix", own.prefix, [&] { check_variable_prefix(own.prefix); }, -1);
  own.check_words.clear();
  if (!own.check.empty() && own.check != no_check)
    blame(
        "settings-check", own.check, [&] { own.check_words = parse_command(own.check); }, -1);
  check_variables(own, reader);
  std::ranges::copy(arguments_of(own), std::back_inserter(command.words));
  std::ranges::copy(variables_of(own), std::back_inserter(service.process.environment));
}

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
  add_own_settings(settings, command.own);
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
      limits.first_byte_timeout = {};
      limits.slow_timeout = {};
      break;
    }
  }
  return configuration;
}

}  // namespace brood
