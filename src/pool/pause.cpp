// SPDX-License-Identifier: MIT
#include "pool/pause.hpp"

#include <algorithm>
#include <utility>

namespace brood {

void PauseDetector::sleeps(Time now, Time until) {
  if (late(now)) missed_ += now - expected_;
  ran_ = now;
  expected_ = std::max(until, now);
}

Clock::duration PauseDetector::runs(Time now, bool continued) {
  const Time before = std::exchange(ran_, now), expected = expected_;
  const Clock::duration missed = std::exchange(missed_, Clock::duration::zero());
  const bool was_late = late(now);
  expected_ = now;
  if (before == never) return missed;
  if (continued) return missed + (now - before);
  return missed + (was_late ? now - expected : Clock::duration::zero());
}

}  // namespace brood
