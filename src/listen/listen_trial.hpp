// SPDX-License-Identifier: MIT
// What the opening of a listener would meet, found out without opening it, for a check of the settings.
#pragma once

#include <string>

#include "base/address.hpp"

namespace brood {

// Resolves the host, binds to the address and lets go of it, and looks at the path and its directory. Throws
// SystemError or ConfigurationError as Listener::open() would. An address that is in use is no mistake: a
// server that runs may have it, and give it up. Nor is anything said of inherited descriptors and timers.
void try_listener(const ListenSpec& spec);
// Throws SystemError if no file can be made or removed in the directory of this path.
void try_directory_of(const std::string& path);

}  // namespace brood
