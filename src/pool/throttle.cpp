// SPDX-License-Identifier: MIT
#include "pool/throttle.hpp"

#include <algorithm>

namespace brood {
namespace {

constexpr std::chrono::seconds first_delay{1};
constexpr std::chrono::seconds last_delay{60};

}  // namespace

void Throttle::failed(Time now) {
  last_failure_ = now;
  if (active() && now < may_start_ && !probing_) return;
  delay_ = active() ? std::min<Clock::duration>(delay_ * 2, last_delay) : first_delay;
  may_start_ = now + delay_;
  probing_ = false;
}

void Throttle::started(Time now) {
  if (!active()) return;
  may_start_ = now + delay_;
  probing_ = true;
}

}  // namespace brood
