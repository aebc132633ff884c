// SPDX-License-Identifier: MIT
#include "program/program_settings.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/server_base.hpp"
#include "child/own_counters.hpp"
#include "program/program_check.hpp"
#include "settings/settings_printer.hpp"

namespace brood {

ProgramSettings::ProgramSettings(const std::string& program, std::span<const NamedServer> servers)
    : program_(program),
      parent_{.name = program},
      shared_("", {.many_connections = true, .threads = true}, true) {
  shared_.listen.clear();
  served_.reserve(servers.size());  // tables are bound to the elements
  for (const auto& [name, server] : servers) {
    served_.push_back({name, server, {name, server->child_model(), server->thread_safe()}, {}});
    Served& served = served_.back();
    if (servers.size() > 1) served.defaults.listen.clear();
    add_service_settings(served.table, served.defaults);
    if (servers.size() > 1) {
      served.table.section("The log");
      add_log_settings(served.table, served.defaults.log);
    } else {
      add_parent_settings(served.table, parent_);
    }
    served.table.of_kit(false);
    served.table.section("This server");
    server->add_settings(served.table);
    counters_of(*server);  // throws if they can't be had
  }
  if (several()) add_service_settings(parent_table_, shared_);
  add_parent_settings(parent_table_, parent_);
  if (!several()) {
    table_ = served_.front().table;
    parent_table_.adopt_defaults(table_);
  } else {
    table_ = parent_table_;
    for (const auto& served : served_) table_.add_service(served.name, served.table);
  }
  environment_ = SettingsEnvironment(program, table_);
}

const ProgramSettings::Served& ProgramSettings::find(const std::string& service) const {
  if (!several()) return served_.front();
  const auto found = std::ranges::find(served_, service, &Served::name);
  if (found == served_.end()) throw Error(text("this program has no service ", service));
  return *found;
}

Settings ProgramSettings::bind(const Served& served, ServiceConfiguration& to) {
  Settings table;
  add_service_settings(table, to);
  add_log_settings(table, to.log);
  table.adopt(served.table);
  return table;
}

// Its own values, and those that services share.
GivenSettings ProgramSettings::given_to(const Served& served, const GivenSettings& all) const {
  ServiceConfiguration unused = served.defaults;
  const Settings table = bind(served, unused);
  SettingsReader reader(table);
  const std::string prefix = served.name + '.';
  GivenSettings own;
  if (several())
    for (const auto& [name, given] : all)
      if (name.starts_with(prefix)) own[name.substr(prefix.size())] = given;
  reader.override_with(own);
  reader.inherit(all);
  return reader.given();
}

ServiceSource::WantedParent ProgramSettings::read_parent(const GivenSettings& given) const {
  Configuration parent = parent_;
  ServiceConfiguration unused = shared_;
  Settings table;
  if (several()) add_service_settings(table, unused);
  add_parent_settings(table, parent);
  table.adopt_defaults(parent_table_);
  return read_into(parent, table, given);
}

WantedService ProgramSettings::read_service(const std::string& name, const ServiceLayers& layers) const {
  const Served& served = find(name);
  ServiceConfiguration configuration = served.defaults;
  configuration.name = name;
  const Settings table = bind(served, configuration);
  // The program owns the server: the pointer deletes nothing.
  WantedService wanted{.name = name,
                       .prefix = several() ? name + '.' : "",
                       .server = {std::shared_ptr<ServerBase>(), served.server}};
  SettingsReader reader(table, "", wanted.prefix);
  read_into(reader, layers);
  wanted.store = reader.stores(false);
  check_and_take(wanted, std::move(configuration), layers, reader);
  return wanted;
}

// Its variables have the new values only while it checks them.
void ProgramSettings::check_own(WantedService& wanted, const GivenSettings& in_force) const {
  if (!wanted.configuration) return;
  SettingsReader before(find(wanted.name).table);
  before.inherit(in_force);
  before.check();
  try {
    wanted.store();
    wanted.server->check_settings();
  } catch (...) {
    wanted.mistakes = text("service ", wanted.name, ": ", what_was_thrown());
    wanted.configuration = nullptr;
  }
  before.stores(false)();
}

SettingsReader ProgramSettings::read_all() const {
  SettingsReader reader(table_);
  if (!line_.config.empty()) reader.read_file(line_.config);
  reader.override_with(environment_.given(table_));
  reader.override_with(line_.settings);
  return reader;
}

// The services of a program are started together, so a mistake of one concerns all.
WantedSettings ProgramSettings::read(const InForce& in_force) const {
  const SettingsReader reader = read_all();
  WantedParent parent = ServiceSource::read_parent(reader.given(), in_force);
  std::vector<WantedService> services;
  for (const auto& served : served_) {
    const std::string& name = served.name.empty() ? parent.configuration->name : served.name;
    services.push_back(ServiceSource::read_service(name, given_to(served, reader.given()), in_force));
  }
  if (!in_force.rehearsed) check_program_settings(services);
  WantedSettings wanted = conclude(reader.errors(), std::move(parent), std::move(services));
  if (const std::string mistakes = wanted.mistakes(); !mistakes.empty()) throw ConfigurationError(mistakes);
  return wanted;
}

void ProgramSettings::apply_own() const {
  SettingsReader reader = read_all();
  reader.check();
  reader.finish();
  reader.stores(false)();
  for (const auto& served : served_) served.server->check_settings();
}

ServiceSource::NamedPaths ProgramSettings::paths(const WantedSettings& wanted) const {
  NamedPaths all = {{"config", line_.config}};
  for (const auto& service : wanted.services)
    for (const auto& setting : service_table(service.name).all())
      if (setting.path && service.configuration)
        for (const auto& path : values_of(setting, service.configuration->given))
          all.emplace_back(service.prefix + setting.name, path);
  return all;
}

std::string ProgramSettings::print(const WantedSettings& settings) const {
  GivenSettings given = settings.parent->given;
  for (const auto& service : settings.services)
    for (const auto& [name, value] : service.configuration->given) given[service.prefix + name] = value;
  return print_settings(table_, given, "Settings of " + program_);
}

}  // namespace brood
