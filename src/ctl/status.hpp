// SPDX-License-Identifier: MIT
// broodctl status: reads a scoreboard, judges it and prints both.
#pragma once

#include <string>

#include "brood/snapshot.hpp"
#include "invocation.hpp"

namespace brood::ctl {

int status(const Invocation& invocation);  // the exit code; throws Failure

Snapshot read_scoreboard(const std::string& path);  // throws Failure
// Of one service. The parent, and what is wrong with it, stays. Throws Failure if there is none of that name.
Snapshot only(Snapshot snapshot, const std::string& service);

}  // namespace brood::ctl
