// SPDX-License-Identifier: MIT
// What the parent itself knows of a service's children, from fork() and waitid(), not from the scoreboard
// that children write.
//
// A pid is used only until its child is reaped, and until then no other process can have it: the parent alone
// reaps, in one place. So the parent keeps no pidfd for a child; every later child would inherit it.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace brood {

// How far the parent has gone to end a child that takes too long.
enum class Escalation { none, aborted, killed, lost };

// How the parent signals a child.
struct ChildSignals {
  int leave = SIGTERM;  // wakes it so that it sees its order, or is the order if it is a foreign program
  bool group = false;   // it leads a process group, which is ended with it
};

struct ChildRecord {
  pid_t pid = 0;  // 0: the slot is free
  ChildSignals signals;
  std::uint32_t generation = 0;
  Time forked_at;
  Time ready_at;             // when the parent saw that it serves; Time{}: it has not yet
  bool proven = false;       // it has finished a connection, or has been ready for a while
  bool expired = false;      // it is older than max-lifetime-per-child
  bool replacement = false;  // forked so that an outdated child can leave, and none was told to yet
  bool told_to_leave = false;
  Time leaving_since;           // since it was told to leave, or was seen to leave by itself
  bool stopped = false;         // by a signal from outside
  Time continued_at;            // by the parent, so that it leaves
  bool lacks_idle_bit = false;  // at the last look (audit.hpp)
  Time slow_since;              // when its last connection began that was found to be slow
  Escalation escalation = Escalation::none;
  Time escalated_at;  // of the last step
};

class ChildTable {
 public:
  explicit ChildTable(std::uint32_t slots) : records_(slots) {}

  std::optional<std::uint32_t> free_slot() const;  // the lowest: the table stays dense
  std::optional<std::uint32_t> find(pid_t pid) const;
  ChildRecord& operator[](std::uint32_t slot) { return records_[slot]; }
  const ChildRecord& operator[](std::uint32_t slot) const { return records_[slot]; }
  unsigned count() const;
  std::vector<std::uint32_t> used() const;  // the slots that are not free, in order
  bool all_lost() const;                    // no child is left, but those that SIGKILL can't end
  std::uint32_t slots() const { return static_cast<std::uint32_t>(records_.size()); }
  void forget_all() { records_.clear(); }  // in a child

 private:
  std::vector<ChildRecord> records_;
};

}  // namespace brood
