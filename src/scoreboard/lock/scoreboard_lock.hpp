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
  // Waits until `deadline` at most. Looks at least once, whatever the time is.
  ScoreboardLock(const Scoreboard& scoreboard, Time deadline);
  // Takes the lock from the holder that was seen, unless it has given it back since.
  ScoreboardLock(const Scoreboard& scoreboard, RobustMutex::Holder from);
  ScoreboardLock(ScoreboardLock&& other) noexcept
      : lock_(std::exchange(other.lock_, std::nullopt)),
        repaired_(std::exchange(other.repaired_, std::nullopt)) {}
  ScoreboardLock& operator=(ScoreboardLock&&) = delete;
  // Gives the lock back, then logs a repair.
  ~ScoreboardLock();

  explicit operator bool() const { return lock_ && lock_->result() != Locked::no; }  // whether it is held

 private:
  void repair_if_due(const Scoreboard& scoreboard);

  std::optional<RobustLock> lock_;
  std::optional<unsigned> repaired_;  // fields; empty: the last holder gave the lock back
};

}  // namespace brood
