// SPDX-License-Identifier: MIT
// broodctl top: shows a scoreboard live, and gives some orders. Or one frame, for an output without a cursor.
#pragma once

#include "ctl/invocation.hpp"

namespace brood::ctl {

int top(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
