// SPDX-License-Identifier: MIT
#include "scoreboard/lock/scoreboard_lock.hpp"

#include "base/text.hpp"
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

ScoreboardLock::ScoreboardLock(const Scoreboard& scoreboard, Time deadline)
    : lock_(std::in_place, scoreboard.gossip().mutex, deadline) {
  repair_if_due(scoreboard);
}

ScoreboardLock::ScoreboardLock(const Scoreboard& scoreboard, RobustMutex::Holder from)
    : lock_(std::in_place, scoreboard.gossip().mutex, from) {
  repair_if_due(scoreboard);
}

// If this process dies in the repair, the next holder repeats all of it.
void ScoreboardLock::repair_if_due(const Scoreboard& scoreboard) {
  if (lock_->result() != Locked::owner_died) return;
  repaired_ = repair(scoreboard);
  scoreboard.gossip().repairs.fetch_add(*repaired_, relaxed);
  scoreboard.gossip().recoveries.fetch_add(1, relaxed);
}

ScoreboardLock::~ScoreboardLock() {
  lock_.reset();
  if (repaired_)
    log_warning(text("scoreboard: a process died while it held the lock; the lock is recovered, ", *repaired_,
                     " field(s) corrected"));
}

}  // namespace brood
