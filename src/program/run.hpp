// SPDX-License-Identifier: MIT
// What every server program does behind its command line, from settings to exit code.
#pragma once

#include <functional>

#include "settings/service_source.hpp"
#include "upgrade/takeover.hpp"

namespace brood {

// The whole of a main(): what it throws is printed and becomes the exit code.
int run_program(int argc, char** argv, const std::function<int(Takeover&)>& program);

// Reads the settings; prints or checks them, or runs what they say until it is told to stop.
int run_source(ServiceSource& source, const CommandLine& line, Takeover& takeover);

}  // namespace brood
