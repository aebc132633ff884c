// SPDX-License-Identifier: MIT
// A part of each reading: the programs that services run, or other commands, check the settings of their own
// that the services give them.
#pragma once

#include <span>

#include "settings/service_source.hpp"

namespace brood {

// Waits for the commands. Their mistakes become those of their services.
void check_program_settings(std::span<WantedService> services);

}  // namespace brood
