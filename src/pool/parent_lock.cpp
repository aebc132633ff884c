// SPDX-License-Identifier: MIT
#include "pool/parent_lock.hpp"

#include <csignal>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto lock_timeout = 1s;  // the lock is held for some hundred nanoseconds
constexpr auto kill_timeout = 1s;  // from SIGKILL until the kernel has marked the lock

}  // namespace

ScoreboardLock ParentLock::take() const {
  const auto try_for = [&](Clock::duration time) {
    return ScoreboardLock(scoreboard_, Side::parent, Clock::now() + time);
  };
  if (auto lock = try_for(lock_timeout)) return lock;
  const pid_t thread = scoreboard_.lock_holder();
  const pid_t holder = process_of(thread);
  if (is_child_(holder)) {
    log_error(text("scoreboard: child ", holder, " has held the lock for ", lock_timeout, "; it is killed"));
    ::kill(holder, SIGKILL);
    if (auto lock = try_for(kill_timeout)) return lock;
  }
  // Either the holder is a child that cannot die, or a child wrote nonsense into the lock.
  log_error(text("scoreboard: process ", thread, " doesn't release the lock; it is taken away"));
  scoreboard_.break_lock();
  return try_for(lock_timeout);
}

}  // namespace brood
