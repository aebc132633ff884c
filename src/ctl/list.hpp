// SPDX-License-Identifier: MIT
// broodctl list: reads a scoreboard and prints one line for each service.
#pragma once

#include "invocation.hpp"

namespace brood::ctl {

int list(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
