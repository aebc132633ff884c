// SPDX-License-Identifier: MIT
// The environment of a program that serves one connection: that of the child, and the variables about the
// connection that tcpserver and its siblings set (ucspi-tcp, ucspi-tcp6, ucspi-unix).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "brood/connection.hpp"

namespace brood {

// Returns lines "NAME=VALUE".
std::vector<std::string> connection_environment(const Connection& connection, std::string_view service);

}  // namespace brood
