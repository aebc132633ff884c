// SPDX-License-Identifier: MIT
// What the parent itself knows of a service's children: from fork() and waitid(), not from the table that
// children write. Slots are counted from 0 within the service.
//
// A pid is used only while its child was not reaped yet, and until then it can't be another process's: the
// parent alone reaps, in one place. So no pidfd is kept for a child (each would be inherited by every later
// sibling).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include <vector>

#include "base/clock.hpp"

namespace brood {

enum class Escalation {
  none,
  aborted,
  killed,
  lost
};  // how far the parent went with a child that is busy for too long

struct ChildRecord {
  pid_t pid = 0;  // 0: the slot is free
  std::uint32_t generation = 0;
  Time forked_at{};
  bool replacement = false;  // forked so that an outdated one may leave, and none was told to yet
  bool told_to_leave = false;
  Time told_at{};        // or when it was seen to leave by itself
  bool stopped = false;  // by a signal from outside
  Time continued_at{};   // by the parent, so that it leaves
  Escalation escalation = Escalation::none;
  Time escalated_at{};  // of the last step
};

class ChildTable {
 public:
  explicit ChildTable(std::uint32_t slots) : records_(slots) {}

  std::optional<std::uint32_t> free_slot() const;  // the lowest: the table stays dense
  std::optional<std::uint32_t> find(pid_t pid) const;
  ChildRecord& operator[](std::uint32_t slot) { return records_[slot]; }
  const ChildRecord& operator[](std::uint32_t slot) const { return records_[slot]; }
  unsigned count() const;
  // The slots that are not free, in order.
  std::vector<std::uint32_t> taken() const;
  std::uint32_t slots() const { return static_cast<std::uint32_t>(records_.size()); }
  void forget_all() { records_.clear(); }  // in a child

 private:
  std::vector<ChildRecord> records_;
};

}  // namespace brood
