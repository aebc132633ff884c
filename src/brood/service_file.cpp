// SPDX-License-Identifier: MIT
#include "service_file.hpp"

#include "base/text.hpp"
#include "brood/command_server.hpp"
#include "brood/error.hpp"
#include "built_in.hpp"

namespace brood {
ServiceSettings::ServiceSettings(std::string name)
    : configuration(std::move(name), CommandServer().child_model(), CommandServer().thread_safe()) {
  configuration.listen.clear();  // there is no default: each service needs its own
}

void ServiceSettings::add_to(Settings& table) {
  add_service_settings(table, configuration);
  table.section("A built-in service");
  std::vector<std::string> choices = {"none"};
  choices.insert(choices.end(), BuiltIn::names().begin(), BuiltIn::names().end());
  table.choice(
      "built-in", built_in, choices,
      "A service of brood itself. echo: sends back what it receives. discard: drops what it receives.");
}

void ServiceSettings::add_all_to(Settings& table) {
  add_to(table);
  table.section("The log");
  add_log_settings(table, configuration.log);
}

ReadFile read_service_file(const ServicePath& file, const GivenSettings& own, const Settings& shared_table,
                           const GivenSettings& shared) {
  const std::string whose = "service " + file.service;
  if (!is_service_name(file.service))
    throw ConfigurationError(
        text(file.path, ": service name '", file.service, "' is not 1 to 63 letters, digits, '-' or '_'"));
  ServiceSettings settings(file.service);
  Settings table;
  settings.add_all_to(table);
  SettingsReader reader(table);
  reader.belongs_elsewhere(shared_table,
                           "belongs to the whole server: set it in defaults/ or on the command line");
  if (!reader.read_file(file.path)) reader.finish();  // missing settings are not reported as well
  for (const char* const program : {"command", "settings-check"})
    if (Given* command = reader.find(program))
      command->values.front() = resolve_command(command->values.front(), file.path);
  GivenSettings above = own;
  for (auto& [setting, given] : above) given.add_to_place(", " + whose);
  reader.override_with(above);
  reader.inherit(shared, whose);
  return {reader.given(), reader.errors()};
}

}  // namespace brood
