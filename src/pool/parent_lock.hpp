// SPDX-License-Identifier: MIT
// How the parent takes the scoreboard's lock: it tries, and goes on without it. A child that was stopped
// while it held the lock is killed later, and nonsense in the lock is removed.
#pragma once

#include <sys/types.h>

#include <functional>

#include "scoreboard/lock/scoreboard_lock.hpp"

namespace brood {

class ParentLock {
 public:
  // is_child: whether a pid is a child's that was not reaped yet. What the table says of the holder is not
  // believed without it.
  ParentLock(const Scoreboard& scoreboard, std::function<bool(pid_t)> is_child)
      : scoreboard_(scoreboard), is_child_(std::move(is_child)) {}

  // Waits a few milliseconds at most, and only once a second. If it holds nothing then, the caller changes
  // the table all the same: the parent acts on its own records.
  ScoreboardLock take() const;
  // When to take it again, because of a holder that does not give it back; never: there is none.
  Time due() const { return suspect_.due; }

 private:
  // A holder that was seen. It is acted on if it has the lock still when its time has passed.
  struct Suspect {
    RobustMutex::Holder holder;
    Time due = never;
    bool killed = false;
  };
  bool is_given_up(RobustMutex::Holder holder, Time now) const;

  const Scoreboard& scoreboard_;
  std::function<bool(pid_t)> is_child_;
  mutable Suspect suspect_;
  mutable Time waits_again_;  // before that, take() does not wait
};

}  // namespace brood
