// SPDX-License-Identifier: MIT
// How the parent takes the scoreboard's lock: it never waits without a limit. A child that was stopped while
// it held the lock is killed, and the lock is recovered.
#pragma once

#include <sys/types.h>

#include <functional>

#include "scoreboard/scoreboard_lock.hpp"

namespace brood {

class ParentLock {
 public:
  // is_child: whether a pid is a child's that was not reaped yet. What the table says of the holder is not
  // believed without it.
  ParentLock(const Scoreboard& scoreboard, std::function<bool(pid_t)> is_child)
      : scoreboard_(scoreboard), is_child_(std::move(is_child)) {}

  // Holds nothing if even a broken lock cannot be taken. The caller changes the table all the same: the
  // parent acts on its own records.
  ScoreboardLock take() const;

 private:
  const Scoreboard& scoreboard_;
  std::function<bool(pid_t)> is_child_;
};

}  // namespace brood
