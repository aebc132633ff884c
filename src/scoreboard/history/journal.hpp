// SPDX-License-Identifier: MIT
// The parent's journal: its last decisions with the numbers behind them, and the children that ended last. On
// its own pages of the scoreboard, so that it crosses an upgrade, and outlives a crash. Parent only.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

struct Decision {
  DecisionKind kind = DecisionKind::none;
  std::uint32_t count = 0;  // of children
  std::int32_t pid = 0;     // of the one child that it is about
  std::uint32_t slot = 0;
  std::int64_t value = 0;   // see DecisionSnapshot
  std::string_view word{};  // cut at 31 bytes
};

struct ChildEnded {
  std::int32_t pid = 0;
  std::uint32_t slot = 0;
  Reason reason = Reason::none;  // why it was told to leave, or left
  int code = 0, status = 0;      // of waitid()
  bool failed = false;           // it counts as failed
};

class Journal {
 public:
  Journal(JournalTable& table, const ServiceOrders& service) : table_(table), service_(service) {}

  // What the decisions from now on go by.
  void saw(const SeenNumbers& numbers) { table_.seen = numbers; }
  // Returns the number of the entry.
  std::uint64_t note(const Decision& decision);
  // Before the row of the child is freed.
  void note(const ChildEnded& ended, const Slot& row, const SlotOrders& orders);
  // Of the last entry; 0: there is none.
  std::uint64_t last() const { return table_.written.load(relaxed); }

 private:
  JournalTable& table_;
  const ServiceOrders& service_;
};

}  // namespace brood
