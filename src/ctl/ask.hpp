// SPDX-License-Identifier: MIT
// A question to the parent by its control socket, and the answer.
#pragma once

#include <string>
#include <vector>

#include "base/wire_record.hpp"

namespace brood::ctl {

// The last record is `done`. `to_the_end`: waits until the parent's process has ended, too, unless it
// refuses. Throws Failure.
std::vector<WireRecord> ask(const std::string& path, const WireRecord& request, bool to_the_end);

}  // namespace brood::ctl
