// SPDX-License-Identifier: MIT
// Runs a program for one connection, which is its standard input and output, as inetd and tcpserver do. Knows
// nothing of slots and orders.
#pragma once

#include <string>

#include "base/service/service_command.hpp"
#include "brood/connection.hpp"

namespace brood {

// Returns when the program has ended. Throws Error if its exit code is none of success-codes,
// ConfigurationError if it can't be run. `service`: its name, for the program's environment. `errors`: what
// its standard error is; -1: that of this process.
void run_connection_program(const ServiceCommand& command, const std::string& service, int errors,
                            Connection& connection);

}  // namespace brood
