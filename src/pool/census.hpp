// SPDX-License-Identifier: MIT
// Counts the children of a service: one scan of its table answers every question of a look. Changes nothing.
#pragma once

#include <cstdint>

#include "pool/child_rows.hpp"
#include "pool/policy.hpp"

namespace brood {

struct CensusRules {
  std::uint32_t generation = 0;  // children of another one are outdated
  // A child is proven when it has finished a connection, or has been ready for so long.
  Clock::duration proven_after{};
  Clock::duration max_lifetime{};  // an older child is outdated; 0: none is
  // Until a child is proven, or has been ready for so long, it may still fail.
  Clock::duration counts_after{};
  // A child that was told to leave at or after this time may still accept.
  Time heard_before = Time::min();
};

// Whether a child that serves may still fail, as far as the rules know.
bool may_still_fail(const ChildRecord& child, const CensusRules& rules, Time now);

struct ChildCensus {
  Time next_expiry = never;    // when the next child is older than max-lifetime-per-child
  Census counts;               // for the policy, but for the backlog, the detached and the fewest spares
  unsigned busy = 0;           // children with open connections
  unsigned serving = 0;        // children that serve, were not told to leave, and are not stopped
  std::uint64_t accepted = 0;  // connections, by all children that there are and were
  bool any_serving = false;    // and not told to leave
  bool any_lasting = false;    // that serves, was not told to leave, and does not fail any more
  bool any_accepts = false;    // a child that is neither full nor stopped nor on its way out
};

// Allocates nothing: the lock is held.
ChildCensus count_children(const Scoreboard& scoreboard, const ChildRows& rows, const ChildTable& children,
                           const CensusRules& rules, Time now);

}  // namespace brood
