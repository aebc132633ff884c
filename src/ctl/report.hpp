// SPDX-License-Identifier: MIT
// The scoreboard as a page for people: the verdict first, then the pool, totals, events, and a row for each
// child.
#pragma once

#include <string>

#include "brood/snapshot.hpp"
#include "verdict.hpp"

namespace brood::ctl {

// No line is wider than `width`, but for the sentences of the verdict, which are never cut.
std::string report(const Snapshot& snapshot, const Verdict& verdict, std::size_t width);

}  // namespace brood::ctl
