// SPDX-License-Identifier: MIT
// The verbs that give orders: each is a request to the parent (verbs.hpp), which is answered when its outcome
// is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/wire_record.hpp"
#include "invocation.hpp"

namespace brood::ctl {

std::vector<std::string> order_verbs();
// What to ask; none: it is no such verb. Throws Failure where it lacks an argument.
std::optional<WireRecord> request_of(const Invocation& invocation);

// Asks, waits, prints; the exit code. Throws Failure.
int order(const Invocation& invocation, const WireRecord& request);

}  // namespace brood::ctl
