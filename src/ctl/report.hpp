// SPDX-License-Identifier: MIT
// Prints a snapshot for people: first the verdict, then for each service its children, totals, events, and a
// row for each child.
#pragma once

#include <string>

#include "brood/snapshot.hpp"
#include "scoreboard/report/verdict.hpp"

namespace brood::ctl {

// No row of a child is wider than `width`; the rest is never cut.
std::string report(const Snapshot& snapshot, const Verdict& verdict, std::size_t width);

}  // namespace brood::ctl
