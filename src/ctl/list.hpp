// SPDX-License-Identifier: MIT
// broodctl list: the services of a server, a line each, from its scoreboard.
#pragma once

#include "command.hpp"

namespace brood::ctl {

int list(const Command& command);  // the exit code; throws Failure

}  // namespace brood::ctl
