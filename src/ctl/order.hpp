// SPDX-License-Identifier: MIT
// The verbs that give orders. Each is one request to the parent, which answers when the outcome is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/wire_record.hpp"
#include "invocation.hpp"

namespace brood::ctl {

std::vector<std::string> order_verbs();
// The request for the parent. Empty: the verb is not an order. Throws Failure if an argument is missing.
std::optional<WireRecord> request_of(const Invocation& invocation);

// Sends the request, waits, prints the answer, and returns the exit code. Throws Failure.
int order(const Invocation& invocation, const WireRecord& request);

}  // namespace brood::ctl
