// SPDX-License-Identifier: MIT
// The children of a service that have given back their slots and finish their open connections. The parent
// knows only their pids, ends those that take too long, and reaps them. Parent only.
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
  bool all_lost() const;  // no child is left, but those that SIGKILL can't end

  void before_reaped(pid_t pid) const;  // as Pool's
  // `code`, `status`: of waitid(). True: the child has failed.
  bool reaped(pid_t pid, int code, int status);
  // SIGABRT, then SIGKILL, for those that have been detached for longer than `timeout`. Returns when the next
  // step is due.
  Time end_overdue(std::chrono::milliseconds timeout, Time counted_from, Time now);
  void kill_all(const char* why);

 private:
  std::vector<ChildRecord> children_;  // leaving_since: since the parent knows that it is detached
};

}  // namespace brood
