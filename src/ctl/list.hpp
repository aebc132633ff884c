// SPDX-License-Identifier: MIT
// broodctl list: the services of a server, a line each, from its scoreboard.
#pragma once

#include "invocation.hpp"

namespace brood::ctl {

int list(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
