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

}  // namespace

void check_program_settings(WantedService& wanted) {
  if (!wanted.configuration || !wanted.configuration->model.command) return;
  const ServiceConfiguration& service = *wanted.configuration;
  SettingsCheck check = check_of(service.command);
  check.service = service.name;
  check.process = service.process;
  check.identity = service.identity;
  check.no_new_privileges = service.no_new_privileges;
  try {
    run_settings_check(check);
  } catch (const Error& error) {
    std::vector<std::string> mistakes;
    for (const auto line : split(error.what(), '\n'))
      mistakes.push_back(text(begin_of_mistake(service, wanted.prefix), line));
    wanted.mistakes = join(mistakes);
    wanted.configuration = nullptr;
  }
}

}  // namespace brood
