// SPDX-License-Identifier: MIT
#include "program/program_settings.hpp"

#include <algorithm>
#include <utility>

#include "brood/server_base.hpp"
#include "settings/settings_printer.hpp"

namespace brood {

ProgramSettings::ProgramSettings(const std::string& program, std::span<const NamedServer> servers)
    : program_(program),
      servers_(servers.begin(), servers.end()),
      shared_("", {.many_connections = true, .threads = true}, true) {
  staged_.name = program;
  for (const auto& [name, server] : servers)
    staged_.services.emplace_back(name, server->child_model(), server->thread_safe());
  if (servers.size() == 1)
    add_one(servers.front());
  else
    add_several(servers);
  in_force_ = staged_;
}

void ProgramSettings::add_one(const NamedServer& named) {
  Settings& table = settings_.table;
  table.of_kit(true);
  add_service_settings(table, staged_.services.front());
  add_parent_settings(table, staged_);
  table.of_kit(false);
  table.section("This server");
  named.server->add_settings(table);
}

void ProgramSettings::add_several(std::span<const NamedServer> servers) {
  Settings& table = settings_.table;
  table.of_kit(true);
  shared_.listen.clear();
  add_service_settings(table, shared_);
  add_parent_settings(table, staged_);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    ServiceConfiguration& service = staged_.services[i];
    service.listen.clear();
    table.of_service(service.name);
    table.of_kit(true);
    add_service_settings(table, service);
    table.section("The log");
    add_log_level(table, service.log_level);
    table.of_kit(false);
    table.section("This server");
    servers[i].server->add_settings(table);
  }
}

std::vector<WantedService> ProgramSettings::read() {
  SettingsReader& reader = settings_.begin();
  kept_.clear();
  if (const auto values = std::exchange(go_by_, {})) {
    reader.restore(*values);
  } else {
    if (!line_.config.empty()) reader.read_file(line_.config);
    reader.override_with(line_.settings);
  }
  reader.inherit_shared();
  reader.check();
  reader.store([](const Setting& setting) { return setting.kits; });
  if (staged_.services.size() == 1) {
    const std::string& known = in_force_.services.front().name;  // only a restart changes it
    staged_.services.front().name = known.empty() ? staged_.name : known;
    staged_.services.front().log_level = staged_.log_level;
  }
  if (!only_own_) check_together(staged_, reader);
  reader.finish();
  std::vector<WantedService> wanted;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const ServiceConfiguration& service = staged_.services[i];
    // The program owns the server: the pointer deletes nothing.
    wanted.push_back({.name = service.name,
                      .configuration = service,
                      .server = {std::shared_ptr<ServerBase>(), servers_[i].server}});
  }
  return wanted;
}

std::vector<std::string> ProgramSettings::commit(When when, const std::string& only) {
  const bool alone = staged_.services.size() == 1;
  const auto is_of = [&](const std::string& service) {
    return (only.empty() || alone || service == only) && !kept_.contains(service);
  };
  auto waits = settings_.commit(when, [&](const Setting& setting) { return is_of(setting.service); });
  const Configuration before = in_force_;
  in_force_ = staged_;
  for (std::size_t i = 0; i < before.services.size(); ++i)
    if (!is_of(before.services[i].name)) in_force_.services[i] = before.services[i];
  return waits;
}

std::string ProgramSettings::print() const {
  return print_settings(settings_.table, settings_.given(), "Settings of " + program_);
}

ServiceConfiguration ProgramSettings::scaled(const std::string& service, const ScaledSettings& scaled) {
  const bool several = staged_.services.size() > 1;
  SettingsReader& reader = settings_.begin_with(given_by(scaled, several ? service + '.' : ""));
  reader.check();
  reader.store([](const Setting& setting) { return setting.kits; });
  check_together(staged_, reader);
  reader.finish();
  return *std::ranges::find(staged_.services, service, &ServiceConfiguration::name);
}

}  // namespace brood
