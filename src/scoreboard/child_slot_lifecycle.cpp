// SPDX-License-Identifier: MIT
// What a child says of its phases.
#include <unistd.h>

#include "base/process/process_title.hpp"
#include "brood/log.hpp"
#include "scoreboard/child_slot.hpp"
#include "scoreboard/row_writing.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto lock_patience = 1s;

}  // namespace

ScoreboardLock ChildSlot::lock() {
  for (;;) {
    ScoreboardLock lock(scoreboard_, Clock::now() + lock_patience);
    if (lock || ::getppid() != scoreboard_.server().parent_pid.load(relaxed)) return lock;
    // A sibling was stopped while it held the lock. The parent checks that when it is woken.
    log_warning("scoreboard: the lock has been held for a second; the parent is woken");
    wake();
  }
}

void ChildSlot::change_lifecycle(Lifecycle lifecycle) {
  if (const auto locked = lock()) {
    if (lifecycle.phase != Phase::serving) scoreboard_.set_idle(slot_index_, false);
    lifecycle.seal = seal();
    row_.lifecycle.store(lifecycle.pack(), std::memory_order_release);
  }
  wake();
}

std::uint32_t ChildSlot::seal() const { return seal_of(orders_.incarnation.load(relaxed), slot_index_); }

void ChildSlot::ready() {
  past_.begin(to_nanoseconds(Clock::now()));
  if (const auto locked = lock()) scoreboard_.serve(slot_index_, ::getpid(), capacity_.connections);
  process_title::show("idle");
  wake();
}

void ChildSlot::ask(Reason reason) {
  change_lifecycle({.phase = Phase::serving, .asks = true, .reason = reason});
}

// In turn with threads that end a connection now: they must not set the idle bit after the child has left.
void ChildSlot::leave(Reason reason) {
  const auto turn = this->turn();
  stay_.store(Stay::left);
  if (open_.count() == 0) process_title::show("leaving");
  change_lifecycle({.phase = Phase::leaving, .reason = reason});
}

// The figures first: when the parent reads "detached", it adds them up and frees the row.
void ChildSlot::detach() {
  const auto turn = this->turn();
  const std::int64_t now = to_nanoseconds(Clock::now());
  {
    const Writing writing(row_.sequence);
    past_.look(now);
    for (ConnectionId id = open_.oldest(); id != OpenConnections::none; id = open_[id].newer)
      if (open_[id].counted) count_as_finished(id, now);
    row_.uncounted.store(0, relaxed);
    row_.open_connections.store(0, relaxed);
    row_.since.store(now, relaxed);
  }
  stay_.store(Stay::detached);
  process_title::show("detached");
  change_lifecycle({.phase = Phase::leaving, .reason = Reason::detached});
}

}  // namespace brood
