// SPDX-License-Identifier: MIT
// Prints the figures of a service on one line, for its log: how it is, and what has happened since an earlier
// snapshot of it. brood_status(5) describes the line.
#pragma once

#include <chrono>
#include <string>

#include "brood/snapshot.hpp"

namespace brood {

// Of `before` only the figures that are counted from the start are read. `time`: between the two.
std::string figures_line(const ServiceSnapshot& before, const ServiceSnapshot& now,
                         std::chrono::nanoseconds time);

}  // namespace brood
