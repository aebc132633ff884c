// SPDX-License-Identifier: MIT
// The pool for which the policy decides.
#pragma once

#include "pool/policy.hpp"

namespace brood::test {

inline constexpr Limits limits{
    .start_servers = 5, .min_spare_servers = 5, .max_spare_servers = 10, .max_clients = 100};
inline constexpr Time now{std::chrono::seconds(1000)};

inline Pace running() { return {.started = true}; }

// A pool that is looked at more than once.
struct LookedAtPool {
  Limits limits = test::limits;
  Census census;
  Pace pace = running();

  Plan look(Time at) {
    const Plan plan = decide(census, limits, pace, at);
    pace = plan.pace;
    return plan;
  }
};

}  // namespace brood::test
