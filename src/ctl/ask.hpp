// SPDX-License-Identifier: MIT
// Sends a request to the parent over its control socket and receives the answer.
#pragma once

#include <string>
#include <vector>

#include "base/wire_record.hpp"

namespace brood::ctl {

// The last record of the answer is `done`. `until_exit`: if the parent does not refuse, also waits until its
// process has ended. Throws Failure.
std::vector<WireRecord> ask(const std::string& path, const WireRecord& request, bool until_exit);

}  // namespace brood::ctl
