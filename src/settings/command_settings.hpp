// SPDX-License-Identifier: MIT
// The settings of a service whose children are a program, and what follows from them for the others.
#pragma once

#include "settings/configuration.hpp"

namespace brood {

void add_command_settings(Settings& settings, ServiceCommand& command);

// What the service has to do with, from what was set: what its program can take, and (where processes of the
// program have the listeners, and tell nothing) limits that keep start-servers of them. Changes nothing where
// children are no program, nor what it has returned before.
ServiceConfiguration in_effect(ServiceConfiguration configuration);

}  // namespace brood
