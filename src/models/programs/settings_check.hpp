// SPDX-License-Identifier: MIT
// Lets a program check its own settings, or another command do it, in a process of the service's user.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/lookup/identity.hpp"
#include "base/service/process_settings.hpp"
#include "base/service/service_command.hpp"

namespace brood {

// In the environment of a program that is built with the kit: it checks the settings that it has as a child.
inline constexpr const char* checked_as_child = "test";

struct SettingsCheck {
  std::string service;
  std::vector<std::string> words;  // of the command; empty: nothing is to be checked
  ProcessSettings process;
  Identity identity;
  bool no_new_privileges = true;
  bool as_child = false;
};

// The command that checks what `command` gets, and whether it does so as a child.
SettingsCheck check_of(const ServiceCommand& command);

// Waits for its end. Throws ConfigurationError with a line for each mistake. Within a reading of the settings
// this is a look-up (base/lookup/lookups.hpp).
void run_settings_check(const SettingsCheck& check,
                        std::chrono::milliseconds timeout = std::chrono::seconds(5));

}  // namespace brood
