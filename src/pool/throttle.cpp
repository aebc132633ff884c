// SPDX-License-Identifier: MIT
#include "pool/throttle.hpp"

#include <algorithm>

namespace brood {
namespace {

constexpr std::chrono::seconds first_delay{1};
constexpr std::chrono::seconds last_delay{60};

}  // namespace

void Throttle::failed(Time now) {
  ++failures_;
  children_fail_ = true;
  if (active() || failures_ > (proven_ ? restarts_if_proven : restarts_if_new)) wait_longer(now);
}

void Throttle::could_not_fork(Time now) {
  if (!active()) children_fail_ = false;
  wait_longer(now);
}

void Throttle::wait_longer(Time now) {
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

void Throttle::complete(Time now) {
  if (!active() || now < may_start_) return;
  delay_ = {};
  may_start_ = Time::min();
  probing_ = false;
}

void Throttle::go_on(const ThrottleDelay& left, bool at_once) {
  delay_ = std::clamp<Clock::duration>(left.delay, Clock::duration::zero(), last_delay);
  children_fail_ = left.children_fail;
  if (active() && !at_once) may_start_ = left.may_start;
}

void Throttle::proved() {
  *this = {};
  proven_ = true;
}

}  // namespace brood
