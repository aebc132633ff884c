// SPDX-License-Identifier: MIT
// broodctl simulate: how many children a service would have, and how long connections would wait, with other
// settings, another load or another machine.
#pragma once

#include "ctl/invocation.hpp"

namespace brood::ctl {

int simulate(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
