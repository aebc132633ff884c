// SPDX-License-Identifier: MIT
// The parent's way to the scoreboard's lock: it never waits for it without a limit. A child that was stopped
// while it held it is killed, and the lock recovered.
#pragma once

#include <sys/types.h>

#include <functional>

#include "scoreboard/scoreboard.hpp"

namespace brood {

class ParentLock {
 public:
  // is_child: whether a pid is a child's that was not reaped yet. What the table says of the holder is not
  // believed without it.
  ParentLock(const Scoreboard& scoreboard, std::function<bool(pid_t)> is_child)
      : scoreboard_(scoreboard), is_child_(std::move(is_child)) {}

  void change(const std::function<void()>& change) const;

 private:
  const Scoreboard& scoreboard_;
  std::function<bool(pid_t)> is_child_;
};

}  // namespace brood
