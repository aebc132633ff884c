// SPDX-License-Identifier: MIT
#include "pool/parent_lock.hpp"

#include <csignal>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1s;     // the lock is held for some hundred nanoseconds
constexpr auto death_takes = 1s;  // from SIGKILL until the kernel has marked the lock

}  // namespace

void ParentLock::change(const std::function<void()>& change) const {
  const auto try_for = [&](Clock::duration time) {
    return scoreboard_.under_lock(Scoreboard::Side::parent, Clock::now() + time, change);
  };
  if (try_for(patience)) return;
  const pid_t thread = scoreboard_.lock_holder();
  const pid_t holder = process_of(thread);
  if (is_child_(holder)) {
    log_error(text("scoreboard: child ", holder, " has held the lock for ", patience, "; it is killed"));
    ::kill(holder, SIGKILL);
    if (try_for(death_takes)) return;
  }
  // Held by nobody who could give it back: a child that can't die, or has written nonsense into the lock.
  // What the parent acts on are its own records.
  log_error(text("scoreboard: the lock can't be had from process ", thread, "; it is taken away"));
  scoreboard_.break_lock();
  if (!try_for(patience)) change();
}

}  // namespace brood
