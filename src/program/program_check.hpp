// SPDX-License-Identifier: MIT
// A part of each reading: the program that a service runs, or another command, checks the settings of its own
// that the service gives it.
#pragma once

#include "settings/service_source.hpp"

namespace brood {

// Waits for the command. Its mistakes become those of `wanted`.
void check_program_settings(WantedService& wanted);

}  // namespace brood
