// SPDX-License-Identifier: MIT
// The names that settings may have.
#pragma once

#include <string>

namespace brood {

// Throws Error if a server's own setting can't have this name, in any program of the kit: all of them have
// the same options and, with one child model or another, the same settings.
void check_own_name(const std::string& name);

}  // namespace brood
