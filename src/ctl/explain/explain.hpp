// SPDX-License-Identifier: MIT
// broodctl explain: why a service has as many children as it has, and why a child was started or has ended,
// in sentences with the numbers and the settings that the parent went by.
#pragma once

#include <sys/types.h>
#include <string>

#include "brood/snapshot.hpp"
#include "ctl/invocation.hpp"

namespace brood::ctl {

int explain(const Invocation& invocation);  // the exit code; throws Failure

// One decision, as "started 3 children: ...".
std::string sentence(const DecisionSnapshot& decision);
// The text for a service, and for a child that lives or has ended; "" if the service knows no such child.
std::string explain_service(const ServiceSnapshot& service);
std::string explain_child(const ServiceSnapshot& service, pid_t pid);

}  // namespace brood::ctl
