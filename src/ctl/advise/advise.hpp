// SPDX-License-Identifier: MIT
// broodctl advise: looks at a service for a while, and says which limits it needs.
#pragma once

#include "ctl/invocation.hpp"

namespace brood::ctl {

int advise(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
