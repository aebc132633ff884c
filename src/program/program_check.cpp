// SPDX-License-Identifier: MIT
#include "program/program_check.hpp"

#include <vector>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "models/programs/settings_check.hpp"

namespace brood {
namespace {

// The setting that a mistake is about, with its place.
std::string begin_of_mistake(const ServiceConfiguration& service, const std::string& prefix) {
  for (const char* const setting : {"settings", "settings-check"})
    if (const auto given = service.given.find(setting); given != service.given.end())
      return text(given->second.where, ": ", prefix, setting, ": ");
  return text("service ", service.name, ": ");
}

SettingsCheck check_for(const WantedService& wanted) {
  if (!wanted.configuration || !wanted.configuration->model.command) return {};
  const ServiceConfiguration& service = *wanted.configuration;
  SettingsCheck check = check_of(service.command);
  check.service = service.name;
  check.process = service.process;
  check.identity = service.identity;
  check.no_new_privileges = service.no_new_privileges;
  return check;
}

}  // namespace

void check_program_settings(std::span<WantedService> services) {
  std::vector<SettingsCheck> checks;
  for (const auto& wanted : services) checks.push_back(check_for(wanted));
  const std::vector<std::string> outcomes = run_settings_checks(checks);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].empty()) continue;
    WantedService& wanted = services[i];
    std::vector<std::string> mistakes;
    for (const auto line : split(outcomes[i], '\n'))
      mistakes.push_back(text(begin_of_mistake(*wanted.configuration, wanted.prefix), line));
    wanted.mistakes = join(mistakes);
    wanted.configuration = nullptr;
  }
}

}  // namespace brood
