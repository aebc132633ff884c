// SPDX-License-Identifier: MIT
// Decides which messages of one kind are logged, when a client can cause as many as it likes: the first ones
// of a period, and then how many more there were. Pure: the time is an argument.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace brood {

class MessageLimiter {
 public:
  struct More {
    std::uint64_t messages;  // that were not logged
    Clock::duration time;    // from the first message of the period to the last one that was not logged
    bool operator==(const More&) const = default;
  };

  // At most so many messages in a period, which begins with its first message.
  constexpr MessageLimiter(unsigned most, Clock::duration period) : most_(most), period_(period) {}

  // True: log this message. Call due() first.
  bool allows(Time now);

  // What was not logged in a period that is over.
  std::optional<More> due(Time now);
  // The same, whether the period is over or not.
  std::optional<More> end();

  bool holds_back() const { return more_ > 0; }
  Time due_at() const { return holds_back() ? begun_ + period_ : never; }  // when due() has something
  std::uint64_t held_back() const { return more_; }

 private:
  const unsigned most_;
  const Clock::duration period_;
  Time begun_{}, last_{};
  unsigned logged_ = 0;  // 0: no period has begun
  std::uint64_t more_ = 0;
};

}  // namespace brood
