// SPDX-License-Identifier: MIT
// What every server program does behind its command line, from settings to exit code.
#pragma once

#include <functional>

#include "command_line.hpp"
#include "service_source.hpp"

namespace brood {

// The whole of a main(): what it throws is printed and becomes the exit code.
int run_program(const std::function<int()>& program);

// Reads the settings; prints or checks them, or runs what they say until it is told to stop.
int run_source(ServiceSource& source, const CommandLine& line);

}  // namespace brood
