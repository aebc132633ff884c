// SPDX-License-Identifier: MIT
// The listeners that whoever started the server has opened, until a service serves them. A service may be
// left out for a mistake, or name one only at a later reload. They have the number by which the setting
// `listen` names them. Parent only.
#pragma once

#include <span>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

// From here on nobody else closes them, and no other program gets them. Those that are not open are skipped.
void keep_inherited(std::span<const int> descriptors);
// The descriptor, kept or not, is the caller's now.
Descriptor take_inherited(int descriptor);
// The caller does not need it after all.
void give_back_inherited(Descriptor descriptor);
std::vector<int> kept_inherited();
void close_inherited();  // in a child

}  // namespace brood
