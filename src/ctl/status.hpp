// SPDX-License-Identifier: MIT
// broodctl status: reads a scoreboard, judges it and prints both.
#pragma once

#include <string>

#include "brood/snapshot.hpp"
#include "invocation.hpp"

namespace brood::ctl {

int status(const Invocation& invocation);  // the exit code; throws Failure

Snapshot read_scoreboard(const std::string& path);  // throws Failure

}  // namespace brood::ctl
