// SPDX-License-Identifier: MIT
#include "pool/parent_lock.hpp"

#include <csignal>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/log.hpp"
#include "pool/escalation.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_wait = 2ms;      // the lock is held for some hundred nanoseconds
constexpr auto wait_interval = 1s;      // between two such waits
constexpr auto child_patience = 1s;     // with a child that is stopped, or does not get a processor
constexpr auto other_patience = 100ms;  // with a thread that is no child's, or does not exist
constexpr auto kill_patience = 1s;      // from SIGKILL until the kernel has marked the lock

}  // namespace

ScoreboardLock ParentLock::take() const {
  const Time now = Clock::now();
  const bool waits = now >= waits_again_;
  ScoreboardLock lock(scoreboard_, waits ? now + longest_wait : now);
  if (lock) {
    suspect_ = {};
    return lock;
  }
  if (waits) waits_again_ = now + wait_interval;
  const RobustMutex::Holder holder = scoreboard_.gossip().mutex.holder();
  if (!is_given_up(holder, Clock::now())) return lock;
  suspect_ = {};
  return {scoreboard_, holder};
}

// The same hold must be seen before and after: whoever has the lock by now is not to blame for another.
bool ParentLock::is_given_up(RobustMutex::Holder holder, Time now) const {
  if (holder.thread == 0) return false;
  const pid_t process = is_child_(holder.thread) ? holder.thread : process_of(holder.thread);
  const bool child = is_child_(process);
  const Clock::duration patience = child ? Clock::duration(child_patience) : other_patience;
  // If the parent itself has not run, the holder may not have run either.
  if (holder != suspect_.holder || now > suspect_.due + patience)
    suspect_ = {.holder = holder, .due = now + patience};
  if (now < suspect_.due) return false;
  if (child && !suspect_.killed) {
    log_error(
        text("scoreboard: child ", process, " has held the lock for ", child_patience, "; it is killed"));
    send_signal(process, SIGKILL);
    suspect_.killed = true;
    suspect_.due = now + kill_patience;
    return false;
  }
  // Either the holder is a child that cannot die, or a child wrote nonsense into the lock.
  log_error(text("scoreboard: process ", holder.thread, " doesn't release the lock; it is taken away"));
  return true;
}

}  // namespace brood
