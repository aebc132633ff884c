// SPDX-License-Identifier: MIT
// broodctl stack: where in their code the children are that live.
#pragma once

#include "ctl/invocation.hpp"

namespace brood::ctl {

int stack(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
