// SPDX-License-Identifier: MIT
// Counts the children of a service: one scan of its table answers every question of a look. Changes nothing.
#pragma once

#include <cstdint>

#include "pool/child_rows.hpp"
#include "pool/policy.hpp"

namespace brood {

struct CensusRules {
  std::uint32_t generation = 0;               // children of another one are outdated
  std::chrono::milliseconds idle_timeout{0};  // 0: none
  // A replacement that is younger still starts, whatever it says.
  Clock::duration replacement_age{};
  // A child is proven if it has finished a connection, or is so old and has accepted one.
  Clock::duration proven_age{};
  bool age_is_proof = false;  // it need not have accepted one: nobody knows whether it has
  // A child that was told to leave at or after this time may still accept.
  Time heard_before = Time::min();
};

struct ChildCensus {
  Census counts;               // for the policy, but for the backlog and the detached
  std::uint64_t accepted = 0;  // connections, by all children that there are and were
  bool any_serving = false;    // and not told to leave
  bool any_accepts = false;    // a child that is neither full nor stopped nor on its way out
  Time proven = Time::min();   // when the youngest child that is proven was forked; min(): none is
  unsigned idle_bits = 0;      // idle bits that are set, also those of children that are no spares
};

// Allocates nothing: the lock is held. `service`: its index on the scoreboard.
ChildCensus count_children(const Scoreboard& scoreboard, std::uint32_t service, const ChildRows& rows,
                           const ChildTable& children, const CensusRules& rules, Time now);

}  // namespace brood
