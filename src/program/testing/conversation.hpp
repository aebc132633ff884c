// SPDX-License-Identifier: MIT
// The client's side of a connection in a test.
#pragma once

#include <string>
#include <string_view>

#include "brood/descriptor.hpp"

namespace brood::testing {

// Sends `input`, ends sending, and returns all that comes until the end. Does both at once, so that a server
// which answers before it has read all holds up nothing. Throws SystemError if it cannot wait.
std::string converse(const Descriptor& socket, std::string_view input);

}  // namespace brood::testing
