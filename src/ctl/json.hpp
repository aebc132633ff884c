// SPDX-License-Identifier: MIT
// The scoreboard as JSON for programs: all of the snapshot, and the verdict. Keys are stable; each names its
// unit.
#pragma once

#include <string>

#include "brood/snapshot.hpp"
#include "verdict.hpp"

namespace brood::ctl {

// ASCII alone: what is no valid UTF-8 becomes U+FFFD, and what is no ASCII is escaped.
std::string to_json(const Snapshot& snapshot, const Verdict& verdict, const std::string& path);

}  // namespace brood::ctl
