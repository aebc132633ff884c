// SPDX-License-Identifier: MIT
#include "pool/audit.hpp"

namespace brood {
namespace {

// Nobody writes the row of a slot without a child.
unsigned clear_unused(const Scoreboard& scoreboard, std::uint32_t slot) {
  unsigned mended = 0;
  if (scoreboard.is_idle(slot)) {
    scoreboard.set_idle(slot, false);
    ++mended;
  }
  Slot& row = scoreboard.slot(slot);
  if (row.lifecycle.load(relaxed) != Lifecycle{}.pack()) {
    row.lifecycle.store(Lifecycle{}.pack(), relaxed);
    ++mended;
  }
  return mended;
}

bool phase_is_true(const Slot& row, const ChildRecord& child, std::uint32_t seal) {
  const std::uint32_t word = row.lifecycle.load(std::memory_order_acquire);
  const Lifecycle lifecycle = Lifecycle::unpack(word);
  if (lifecycle.pack() != word || lifecycle.phase == Phase::empty || lifecycle.seal != seal) return false;
  if (lifecycle.phase == Phase::starting) return child.ready_at == Time{};
  // It has written its pid before its phase.
  return lifecycle.phase == Phase::leaving || row.pid.load(relaxed) == child.pid;
}

// A child changes these fields in one step, which begins and ends with `sequence`.
bool figures_are_true(const Slot& row) {
  const std::uint32_t before = row.sequence.load(std::memory_order_acquire);
  const std::uint64_t accepted = row.figures.accepted.load(relaxed);
  const std::uint64_t finished = row.figures.finished.load(relaxed);
  const std::uint64_t others = not_served(row.figures);
  const std::uint32_t open = row.open_connections.load(relaxed);
  const std::uint32_t uncounted = row.uncounted.load(relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  const bool whole = before % 2 == 0 && row.sequence.load(relaxed) == before;
  return !whole || (accepted + uncounted == finished + open && others <= finished);
}

// If the child takes a connection at this moment, it clears the bit before or after this sets it:
// open_connections is written before.
void set_missing_idle_bit(const Scoreboard& scoreboard, std::uint32_t slot) {
  const Slot& row = scoreboard.slot(slot);
  scoreboard.set_idle(slot, true);
  if (row.open_connections.load(std::memory_order_seq_cst) >= row.capacity.load(relaxed))
    scoreboard.set_idle(slot, false);
}

// The child is told to leave. Until it has left, its row must not make the parent kill it.
void make_harmless(const Scoreboard& scoreboard, std::uint32_t slot, const ChildRecord& child,
                   std::uint32_t seal, Time now) {
  Slot& row = scoreboard.slot(slot);
  row.pid.store(child.pid, relaxed);
  row.capacity.store(1, relaxed);
  row.open_connections.store(1, relaxed);
  row.since.store(to_nanoseconds(now), relaxed);
  row.deadline.store(0, relaxed);
  row.lifecycle.store(Lifecycle{.phase = Phase::leaving, .reason = Reason::damaged, .seal = seal}.pack(),
                      relaxed);
  scoreboard.set_idle(slot, false);
}

}  // namespace

Findings audit(const Scoreboard& scoreboard, ChildTable& children, Time now) {
  Findings findings;
  for (std::uint32_t slot = 0; slot < children.slots(); ++slot) {
    ChildRecord& child = children[slot];
    if (child.pid == 0) {
      findings.mended += clear_unused(scoreboard, slot);
      continue;
    }
    if (child.told_to_leave || child.stopped || child.escalation != Escalation::none) continue;
    const Slot& row = scoreboard.slot(slot);
    const std::uint32_t seal = seal_of(scoreboard.slot_orders(slot).incarnation.load(relaxed), slot);
    if (!phase_is_true(row, child, seal) || !figures_are_true(row)) {
      make_harmless(scoreboard, slot, child, seal, now);
      findings.damaged.push_back(slot);
      continue;
    }
    const bool serves = Lifecycle::unpack(row.lifecycle.load(relaxed)).phase == Phase::serving;
    // A child that ends its last connection writes that first and sets the bit at once: it has lost the bit
    // only if it is seen without it twice.
    const bool lacks_idle_bit =
        serves && row.open_connections.load(relaxed) == 0 && !scoreboard.is_idle(slot);
    if (lacks_idle_bit && child.lacks_idle_bit) {
      set_missing_idle_bit(scoreboard, slot);
      ++findings.mended;
    }
    findings.suspects |= lacks_idle_bit && !child.lacks_idle_bit;
    child.lacks_idle_bit = lacks_idle_bit && !child.lacks_idle_bit;
    // The child may have become ready since the first look at its phase.
    if (!serves && scoreboard.is_idle(slot) &&
        Lifecycle::unpack(row.lifecycle.load(std::memory_order_acquire)).phase != Phase::serving) {
      scoreboard.set_idle(slot, false);
      ++findings.mended;
    }
  }
  return findings;
}

}  // namespace brood
