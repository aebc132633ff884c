// SPDX-License-Identifier: MIT
// The children of a service that have given their slots back and live on to finish what they had in hand. The
// parent knows them by pid alone, ends those that take too long, and buries them. Parent only.
#pragma once

#include <vector>

#include "pool/child_table.hpp"

namespace brood {

class Detached {
 public:
  void add(ChildRecord child, Time now);
  bool has(pid_t pid) const;
  const std::vector<ChildRecord>& all() const { return children_; }
  unsigned count() const { return static_cast<unsigned>(children_.size()); }
  bool all_lost() const;  // nobody is left but those that KILL could not end

  // Of one of them, as waitid() told. True: it has failed.
  bool reaped(pid_t pid, int code, int status);
  // ABRT, then KILL, for those that live on for longer than `timeout`. Returns when the next step is due.
  Time end_overdue(std::chrono::milliseconds timeout, Time now);
  void kill_all(const char* why);

 private:
  std::vector<ChildRecord> children_;  // told_at: when the parent learned of it
};

}  // namespace brood
