// SPDX-License-Identifier: MIT
#include "base/log/message_limiter.hpp"

#include <utility>

namespace brood {

bool MessageLimiter::allows(Time now) {
  if (logged_ == 0) begun_ = now;
  if (logged_ < most_) {
    ++logged_;
    return true;
  }
  ++more_;
  last_ = now;
  return false;
}

std::optional<MessageLimiter::More> MessageLimiter::due(Time now) {
  if (logged_ == 0 || now - begun_ < period_) return {};
  return end();
}

std::optional<MessageLimiter::More> MessageLimiter::end() {
  logged_ = 0;
  const std::uint64_t more = std::exchange(more_, 0);
  if (more == 0) return {};
  return More{.messages = more, .time = last_ - begun_};
}

}  // namespace brood
