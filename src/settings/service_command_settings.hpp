// SPDX-License-Identifier: MIT
// The settings "command", "command-gets" and others of a service whose children run a program, and what they
// change in the rest of its configuration.
#pragma once

#include "settings/configuration.hpp"

namespace brood {

void add_service_command_settings(Settings& settings, ServiceCommand& command);

// Checks the program's own settings, fills the parsed fields, and adds them to what the program is given.
void check_own_settings(ServiceConfiguration& service, SettingsReader& reader);

// The configuration that the service works with. command-gets = connection changes the kind of work;
// command-gets = listeners replaces the limits by those that keep start-servers processes running. Without a
// command the result is equal to the argument, and so it is if it is applied twice.
ServiceConfiguration in_effect(ServiceConfiguration configuration);

}  // namespace brood
