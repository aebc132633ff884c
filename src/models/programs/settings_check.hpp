// SPDX-License-Identifier: MIT
// Lets programs check their own settings, or other commands do it, in processes of the services' users.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
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

struct CheckTimes {
  std::chrono::milliseconds each = std::chrono::seconds(5);
  // Of all: below the time that a reading has (settings/readings.hpp).
  std::chrono::milliseconds all = std::chrono::seconds(8);
  std::size_t at_once = 16;
  std::chrono::milliseconds usual{250};   // one that takes longer does not count among these
  std::chrono::milliseconds to_die{500};  // all that were killed
};

// Waits for their ends. Returns for each check a line for each mistake; "": there is none. Within a reading
// of the settings each is a look-up (base/lookup/lookups.hpp).
std::vector<std::string> run_settings_checks(std::span<const SettingsCheck> checks,
                                             const CheckTimes& times = {});

}  // namespace brood
