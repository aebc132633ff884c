// SPDX-License-Identifier: MIT
// The commands that give orders. Each is one request to the parent, which answers when the outcome is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/wire_record.hpp"
#include "invocation.hpp"

namespace brood::ctl {

std::vector<std::string> order_names();
// The request for the parent. Empty: the command is not an order. Throws Failure if an argument is missing.
std::optional<WireRecord> request_of(const Invocation& invocation);

// Sends the request, waits, prints the answer, and returns the exit code. Throws Failure.
int order(const Invocation& invocation, const WireRecord& request);

}  // namespace brood::ctl
