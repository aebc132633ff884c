// SPDX-License-Identifier: MIT
// What a start would meet outside the settings: hosts, addresses, directories. For --test-config.
#pragma once

#include "settings/service_source.hpp"

namespace brood {

// Throws ConfigurationError with all that would make a start fail, one a line. Prints what would only be
// warned of. Changes nothing.
void try_start(const WantedSettings& wanted);

}  // namespace brood
