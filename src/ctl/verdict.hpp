// SPDX-License-Identifier: MIT
// Whether a server is well, and if not, why: decided from a snapshot alone. broodctl(8) tells what counts as
// what.
#pragma once

#include <string>
#include <vector>

#include "brood/snapshot.hpp"

namespace brood::ctl {

// The values are broodctl's exit codes.
enum class Level { ok = 0, warning = 1, critical = 2 };

std::string_view name_of(Level level);  // "ok", "warning", "critical"

struct Problem {
  Level level;
  std::string text;  // a sentence that says what to do
};

struct Verdict {
  Level level = Level::ok;  // the worst of
  std::vector<Problem> problems;
};

Verdict judge(const Snapshot& snapshot);

// What must be true of every service's figures. Rows that are torn are left out: what is in them may not fit
// together.
bool slots_add_up(const ServiceSnapshot& service);        // empty + starting + idle + busy + leaving = slots
bool connections_add_up(const ServiceSnapshot& service);  // accepted = finished + aborted + in hand

}  // namespace brood::ctl
