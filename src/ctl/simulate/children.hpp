// SPDX-License-Identifier: MIT
// The children of a simulated service, and the census of them that the policy decides by (pool/census.cpp).
// The counts change with each child, so that a look costs the same with 10 children and with 10,000.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "pool/policy.hpp"

namespace brood::ctl {

using ChildId = std::uint32_t;

struct SimulatedChild {
  enum class Phase : std::uint8_t { starting, idle, busy, gone };
  Phase phase = Phase::starting;
  bool told = false;      // to leave
  bool outdated = false;  // it has served so many, or lived so long, that it asks to be replaced
  bool replacement = false;
  bool proven = false;  // as the parent knows
  bool leaves_long = false;
  std::uint32_t turns = 0;  // how often it was idle
  unsigned accepted = 0, finished = 0;
  Time ready_at = never;  // as the parent knows; never: it does not
  Time busy_since{}, told_at{};
  // Of its connection: when it came, and for how long it does not compute.
  Time arrived_at{};
  Clock::duration waits{};
};

class Children {
 public:
  const SimulatedChild& operator[](ChildId id) const { return all_[id]; }

  // ---- what happens to a child
  ChildId start(bool replacement);
  void become_ready(ChildId id);
  // The idle child that has waited for longest gets a connection.
  std::optional<ChildId> accept(Time arrived_at, Time now);
  void finish(ChildId id);
  void wait_after_computing(ChildId id, Clock::duration time) { all_[id].waits = time; }
  void outdate(ChildId id);
  void tell_to_leave(ChildId id, Time now);
  void end(ChildId id);

  // ---- what the parent does
  // What it sees of each child at a look: true: another one is proven.
  bool note_progress(Time now);
  Census census(bool trusts, Time now);
  // Those that Pool::retire() would tell to leave.
  std::vector<ChildId> surplus(unsigned number);
  std::vector<ChildId> outdated(unsigned number);
  void end_replacements(unsigned number, bool trusts);

  // ---- what there is
  unsigned total() const { return counts_.total; }
  unsigned idle() const { return counts_.idle; }
  unsigned busy() const { return counts_.busy; }
  unsigned serving_outdated() const { return counts_.outdated_idle + counts_.outdated_busy; }

 private:
  struct Counts {
    unsigned total, starting, idle, busy, leaving, leaving_long, outdated_idle, outdated_busy;
    unsigned replacements_starting, unproven, replacements_unproven, replacements_proven;
  };
  void count(const SimulatedChild& child, unsigned sign);
  template <typename Change>
  void change(ChildId id, const Change& change) {
    count(all_[id], -1U);
    change(all_[id]);
    count(all_[id], 1);
  }

  std::vector<SimulatedChild> all_;
  Counts counts_{};
  // Entries that are true no longer are dropped when they are met.
  struct Turn {
    ChildId id;
    std::uint32_t turn;
  };
  bool still_idle(const Turn& turn) const {
    const SimulatedChild& child = all_[turn.id];
    return child.phase == SimulatedChild::Phase::idle && !child.told && child.turns == turn.turn;
  }
  std::deque<Turn> idle_;
  std::deque<ChildId> fresh_, unproven_, first_finished_, told_busy_;
  std::vector<ChildId> outdated_, replacements_;
};

}  // namespace brood::ctl
