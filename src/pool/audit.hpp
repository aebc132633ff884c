// SPDX-License-Identifier: MIT
// Compares what children have written on the scoreboard with what the parent knows from fork(), waitid() and
// its own orders, and mends what contradicts it. So a child that writes where it must not misleads the parent
// for one look at most. Parent only, while the lock is held: a phase does not change then.
#pragma once

#include <cstdint>
#include <vector>

#include "pool/child_table.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

struct Findings {
  unsigned mended = 0;                 // fields
  std::vector<std::uint32_t> damaged;  // slots whose child has to be replaced: nobody knows what it does
  bool suspects = false;               // something may be wrong, or a child is just about to write it
};

// Notes in `children` what it has seen of them.
Findings audit(const Scoreboard& scoreboard, ChildTable& children, Time now);

}  // namespace brood
