// SPDX-License-Identifier: MIT
#include "child/connection/patience.hpp"

#include <algorithm>

namespace brood {
namespace {

using Seconds = std::chrono::duration<double>;

Seconds shortest_with(std::chrono::nanoseconds longest, unsigned waiting) {
  const Seconds its_part = Seconds(1) / std::max(waiting, 1U);
  return std::max<Seconds>(std::min<Seconds>({its_part, patience_of_few, longest}), shortest_patience);
}

}  // namespace

std::chrono::nanoseconds patience_with(std::chrono::nanoseconds longest, unsigned waiting, unsigned places,
                                       std::uint64_t bytes) {
  const double crowd = 1 + crowd_weight * waiting / std::max(places, 1U);
  const Seconds patience = std::max(Seconds(longest) / crowd, shortest_with(longest, waiting));
  constexpr Seconds most = std::chrono::hours(24);
  const Seconds all = patience * (1 + static_cast<double>(bytes) / bytes_for_patience);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::min(all, most));
}

bool Overload::look(unsigned waiting, std::uint64_t accepted, Time now) {
  if (waiting == 0) {
    *this = {};
    return false;
  }
  const bool begins = since_ == never;
  if (!begins && now - since_ < window) return is_;
  if (!begins) {
    const std::uint64_t taken = std::max<std::uint64_t>(accepted - std::min(accepted, accepted_), 1);
    const auto wait = std::chrono::duration<double>(now - since_) * waiting / static_cast<double>(taken);
    is_ = wait >= (is_ ? ends_below : begins_at);
  }
  since_ = now;
  accepted_ = accepted;
  return is_;
}

}  // namespace brood
