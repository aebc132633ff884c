// SPDX-License-Identifier: MIT
#include "directory_settings.hpp"

#include <utility>

#include "base/text.hpp"
#include "brood/command_server.hpp"
#include "brood/error.hpp"
#include "built_in.hpp"
#include "program/program_check.hpp"
#include "settings/settings_printer.hpp"

namespace brood {
namespace {

Configuration parent_defaults() { return {.name = "brood"}; }

std::shared_ptr<ServerBase> server_of(const std::string& built_in) {
  if (built_in == "none") return std::make_shared<CommandServer>();
  return std::make_shared<BuiltIn>(built_in);
}

}  // namespace

DirectorySettings::DirectorySettings(ConfigDirectory directory)
    : directory_(std::move(directory)), parent_(parent_defaults()), shared_(""), service_("") {
  add_shared_settings(shared_table_, shared_, parent_);
  service_.add_all_to(service_table_);
  environment_ = SettingsEnvironment("brood", shared_table_, service_table_);
}

void DirectorySettings::take(CommandLine line) {
  // Values for all services stay in it, those for one go to that service.
  std::erase_if(line.settings, [this](const auto& setting) {
    const auto& [name, given] = setting;
    const auto dot = name.find('.');
    if (dot != std::string::npos) for_one_[name.substr(0, dot)][name.substr(dot + 1)] = given;
    return dot != std::string::npos;
  });
  line_ = std::move(line);
}

ServiceRules DirectorySettings::rules(const Configuration& parent) const {
  return {.all_or_none = parent.strict, .come_and_go = true};
}

// A mistake in what all share leaves nothing to be read further.
ServiceSource::WantedParent DirectorySettings::read_parent_of(const InForce& in_force) const {
  const auto files = line_.config.empty() ? directory_.defaults() : std::vector<std::string>{line_.config};
  SettingsReader reader(shared_table_, directory_.path());
  for (const auto& file : files) {
    const bool known = reader.find("command") != nullptr;
    reader.read_file(file);
    if (Given* command = reader.find("command"); command != nullptr && !known)
      command->values.front() = resolve_command(command->values.front(), file);
  }
  reader.override_with(environment_.given(shared_table_));
  reader.override_with(line_.settings);
  WantedParent parent = ServiceSource::read_parent(reader.given(), in_force);
  std::string mistakes = reader.errors();
  if (!parent.mistakes.empty()) mistakes += (mistakes.empty() ? "" : "\n") + parent.mistakes;
  if (!mistakes.empty()) throw ConfigurationError(mistakes);
  return parent;
}

Configuration DirectorySettings::read_shared() const { return *read_parent_of({}).configuration; }

WantedSettings DirectorySettings::read(const InForce& in_force) const {
  WantedParent parent = read_parent_of(in_force);
  std::vector<WantedService> services;
  for (const auto& file : directory_.services())
    services.push_back(read_file(file, parent.configuration->given, in_force));
  if (!in_force.rehearsed) check_program_settings(services);
  return conclude("", std::move(parent), std::move(services));
}

WantedService DirectorySettings::read_file(const ServicePath& file, const GivenSettings& shared,
                                           const InForce& in_force) const {
  try {
    GivenSettings own = environment_.given(service_table_, file.service);
    if (const auto on_line = for_one_.find(file.service); on_line != for_one_.end())
      for (const auto& [name, value] : on_line->second) own[name] = value;
    const auto [given, mistakes] = read_service_file(file, own, shared_table_, shared);
    WantedService wanted = ServiceSource::read_service(file.service, given, in_force);
    if (mistakes.empty()) return wanted;
    wanted.configuration = nullptr;
    wanted.mistakes = mistakes + (wanted.mistakes.empty() ? "" : "\n") + wanted.mistakes;
    return wanted;
  } catch (...) {
    return {.name = file.service, .mistakes = what_was_thrown()};
  }
}

ServiceSource::WantedParent DirectorySettings::read_parent(const GivenSettings& given) const {
  Configuration parent = parent_defaults();
  ServiceSettings unused("");  // services inherit what is given
  Settings table;
  add_shared_settings(table, unused, parent);
  return read_into(parent, table, given, directory_.path());
}

WantedService DirectorySettings::read_service(const std::string& name, const ServiceLayers& layers) const {
  ServiceSettings settings(name);
  Settings table;
  settings.add_all_to(table);
  SettingsReader reader(table, path_of(name));
  read_into(reader, layers);
  const std::string& built_in = settings.built_in;
  WantedService wanted{.name = name, .server = server_of(built_in), .store = [] {}};
  settings.configuration.model = wanted.server->child_model();
  if (built_in != "none" && !settings.configuration.command.written.empty())
    reader.blame("built-in", text("built-in = ", built_in,
                                  " and a command are both set: a service runs only one of them"));
  check_and_take(wanted, std::move(settings.configuration), layers, reader);
  return wanted;
}

std::string DirectorySettings::print(const WantedSettings& settings) const {
  std::string out = print_settings(shared_table_, settings.parent->given,
                                   "Settings of " + settings.parent->name + ", and what its services share");
  for (const auto& service : settings.services)
    if (service.configuration)
      out += '\n' + print_settings(service_table_, service.configuration->given,
                                   text("Settings of service ", service.name, ": ", path_of(service.name)));
  return out;
}

void add_shared_settings(Settings& table, ServiceSettings& services, Configuration& parent) {
  services.add_to(table);
  add_parent_settings(table, parent);
  table
      .flag("strict", parent.strict,
            "If there is a mistake in one file, or if one service cannot be started, start none.")
      .applied_on = AppliedOn::restart;
}

}  // namespace brood
