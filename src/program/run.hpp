// SPDX-License-Identifier: MIT
// What every server program does behind its command line, from settings to exit code.
#pragma once

#include <functional>

#include "program/beginning.hpp"
#include "settings/service_source.hpp"

namespace brood {

// The whole of a main(): what it throws is printed and becomes the exit code.
int run_program(int argc, const char* const* argv, const std::function<int(Beginning&)>& program);

// Reads the settings; prints or checks them, or runs what they say until it is told to stop.
int run_source(ServiceSource& source, const CommandLine& line, Beginning& beginning);

}  // namespace brood
