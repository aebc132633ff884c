// SPDX-License-Identifier: MIT
// broodctl advise: looks at a service for a while, and says which limits it needs.
#pragma once

#include "brood/snapshot.hpp"
#include "ctl/advise/advice.hpp"
#include "ctl/invocation.hpp"

namespace brood::ctl {

int advise(const Invocation& invocation);  // the exit code; throws Failure

Means means_of(const ServiceSnapshot& service);  // of this machine; looks at the children

}  // namespace brood::ctl
