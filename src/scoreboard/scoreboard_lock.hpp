// SPDX-License-Identifier: MIT
// The scoreboard's lock, held as long as this object exists. Taking it from an owner that died repairs the
// table first. Knows nothing of children or policy: what to do about an owner that does not give the lock
// back is for the caller to decide.
#pragma once

#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

class ScoreboardLock {
 public:
  // Waits until `deadline` at most. Parent and children take the lock in different ways (RobustMutex).
  // Throws SystemError in a child if the lock is broken.
  ScoreboardLock(const Scoreboard& scoreboard, Side side, Time deadline);
  ScoreboardLock(ScoreboardLock&& other) noexcept
      : scoreboard_(std::exchange(other.scoreboard_, nullptr)),
        side_(other.side_),
        repaired_(other.repaired_) {}
  ScoreboardLock& operator=(ScoreboardLock&&) = delete;
  // Gives the lock back, then logs a repair. A child that cannot give it back ends with exit code 70.
  ~ScoreboardLock();

  explicit operator bool() const { return scoreboard_ != nullptr; }  // false: the deadline passed

 private:
  void give_back() const;

  const Scoreboard* scoreboard_ = nullptr;  // nullptr: not held
  Side side_;
  std::optional<unsigned> repaired_;  // fields; empty: the last owner gave the lock back
};

}  // namespace brood
