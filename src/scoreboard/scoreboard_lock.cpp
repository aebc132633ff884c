// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard_lock.hpp"

#include <cstdlib>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

// The lifecycle word of a slot is the truth; whatever contradicts it is corrected. Idempotent.
unsigned repair(const Scoreboard& scoreboard) {
  unsigned repaired = 0;
  for (std::uint32_t i = 0; i < scoreboard.header().slots; ++i) {
    Slot& row = scoreboard.slot(i);
    const std::uint32_t word = row.lifecycle.load(relaxed);
    const Lifecycle lifecycle = Lifecycle::unpack(word);
    if (lifecycle.pack() != word) {
      row.lifecycle.store(lifecycle.pack(), relaxed);
      ++repaired;
    }
    if (lifecycle.phase != Phase::serving && scoreboard.is_idle(i)) {
      scoreboard.set_idle(i, false);
      ++repaired;
    }
    if (lifecycle.phase == Phase::empty && row.pid.load(relaxed) != 0) {
      row.pid.store(0, relaxed);
      ++repaired;
    }
  }
  return repaired;
}

}  // namespace

ScoreboardLock::ScoreboardLock(const Scoreboard& scoreboard, Side side, Time deadline) : side_(side) {
  RobustMutex& mutex = scoreboard.gossip().mutex;
  const Locked locked = side == Side::parent ? mutex.lock_word_until(deadline) : mutex.lock_until(deadline);
  if (locked == Locked::timed_out) return;
  scoreboard_ = &scoreboard;
  if (locked == Locked::clean) return;
  repaired_ = repair(scoreboard);
  scoreboard.gossip().repairs.fetch_add(*repaired_, relaxed);
  scoreboard.gossip().recoveries.fetch_add(1, relaxed);
  // Only now: if this process dies in the repair, the next owner repeats all of it.
  if (side == Side::child) mutex.mark_consistent();
}

ScoreboardLock::~ScoreboardLock() {
  if (scoreboard_ == nullptr) return;
  give_back();
  if (repaired_)
    log_warning(text("scoreboard: a process died while it held the lock; the lock is recovered, ", *repaired_,
                     " field(s) corrected"));
}

void ScoreboardLock::give_back() const {
  RobustMutex& mutex = scoreboard_->gossip().mutex;
  if (side_ == Side::parent) return mutex.unlock_word();
  try {
    mutex.unlock();
  } catch (const SystemError& error) {
    // Another child has overwritten the lock. The C library still lists it as held by this thread, so this
    // child must not take it again.
    log_error(error.what());
    std::_Exit(static_cast<int>(ExitCode::software));
  }
}

}  // namespace brood
