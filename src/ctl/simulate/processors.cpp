// SPDX-License-Identifier: MIT
#include "ctl/simulate/processors.hpp"

#include <algorithm>
#include <cmath>

namespace brood::ctl {

double Processors::rate() const { return std::min(1.0, number_ / static_cast<double>(works_.size())); }

void Processors::advance(Time now) {
  if (!works_.empty()) computed_ += std::chrono::duration<double>(now - at_).count() * rate();
  at_ = now;
}

void Processors::begin(Time now, std::uint32_t child, Clock::duration work) {
  advance(now);
  works_.push({computed_ + std::chrono::duration<double>(work).count(), child});
}

Time Processors::next_end() const {
  if (works_.empty()) return never;
  const double work_left = std::max(works_.top().ends_at - computed_, 0.0) / rate();
  return at_ + Clock::duration(static_cast<Clock::rep>(std::ceil(work_left * 1e9)));
}

std::uint32_t Processors::end(Time now) {
  advance(now);
  const Work first = works_.top();
  works_.pop();
  computed_ = std::max(computed_, first.ends_at);
  return first.child;
}

}  // namespace brood::ctl
