// SPDX-License-Identifier: MIT
#include "ctl/simulate/options.hpp"

#include "base/text.hpp"
#include "brood/error.hpp"
#include "ctl/simulate/units.hpp"
#include "settings/configuration.hpp"

namespace brood::ctl {
namespace {

constexpr auto command_line = "command line";

std::chrono::nanoseconds nanoseconds_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

// What is simulated has one connection at a time, and accepts it by the kit.
void check_model(const ServiceConfiguration& service, SettingsReader& reader) {
  const auto refuse = [&](const char* setting, const std::string& why) {
    if (reader.find(setting) != nullptr)
      reader.blame(setting, text(setting, " = ", reader.find(setting)->values.front(), ": ", why));
  };
  constexpr auto several = "children with several connections at a time can't be simulated";
  if (service.threads_per_child != "1") refuse("threads-per-child", several);
  if (service.limits.max_connections_per_child > 1) refuse("max-connections-per-child", several);
  if (service.command.takes_listeners())
    refuse("command-gets", "programs that take the listeners accept by themselves, and can't be simulated");
}

void read_service(const std::map<std::string, std::string>& given, const GivenSettings& in_force,
                  SimulateOptions& to) {
  ServiceConfiguration service("", {.many_connections = true, .threads = true, .command = true}, true);
  Configuration parent;
  Settings table;
  add_service_settings(table, service);
  add_parent_settings(table, parent);
  SettingsReader reader(table);
  reader.pass_over_unknown();
  if (const auto config = given.find("--config"); config != given.end()) reader.read_file(config->second);
  GivenSettings on_command_line;
  for (const auto& [option, value] : given)
    if (const Setting* setting = table.find(option.substr(2)); setting != nullptr)
      on_command_line[setting->name] = {{value}, command_line};
  reader.override_with(on_command_line);
  reader.inherit(in_force);
  reader.check();
  reader.stores(true)();
  check_limits(service.limits, reader);
  check_model(service, reader);
  reader.finish();
  to.scenario.limits = service.limits;
  to.scenario.listen_backlog = service.listen_backlog;
  to.passed_over = reader.passed_over();
}

}  // namespace

SimulateOptions read_options(const std::map<std::string, std::string>& given, const GivenSettings& in_force) {
  SimulateOptions options;
  read_service(given, in_force, options);
  double service_time = 0, start_time = 0.001, fork_time = 0.0001;
  Scenario& scenario = options.scenario;
  Settings table;
  table.text("load", options.load, "");
  table.text("arrivals", options.arrivals, "");
  table.text("svg", options.svg, "");
  table.value("service-time", service_time, seconds_type(), "");
  table.real("variability", options.variability, 0, 1000, "");
  table.value("start-time", start_time, seconds_type(), "");
  table.value("fork-time", fork_time, seconds_type(), "");
  table.value("failing-starts", scenario.failing_starts, share_type(), "");
  table.value("crashes", scenario.crashes, share_type(), "");
  table.real("processors", scenario.processors, 0, 100'000, "");
  table.value("computes", scenario.computes, share_type(), "");
  table.size("memory-per-child", options.memory_per_child, 0, std::uint64_t{1} << 50U, "");
  table.value("step", options.step, seconds_type(), "");
  table.number("seed", options.seed, 0, 4'000'000'000U, "");
  SettingsReader reader(table);
  GivenSettings own;
  for (const auto& [option, value] : given)
    if (table.find(option.substr(2)) != nullptr) own[option.substr(2)] = {{value}, command_line};
  reader.override_with(own);
  reader.check();
  reader.finish();
  reader.stores(false)();
  if (own.contains("service-time")) options.service_time = service_time;
  scenario.start_time = nanoseconds_of(start_time);
  scenario.fork_time = nanoseconds_of(fork_time);
  return options;
}

}  // namespace brood::ctl
