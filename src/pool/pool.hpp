// SPDX-License-Identifier: MIT
// The children of one service: starts them, tells them to leave, buries them. Decides nothing;
// whoever asks it to act has. Parent only. Slots are counted from 0 within the service.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pool/census.hpp"
#include "pool/child_table.hpp"
#include "pool/parent_lock.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

// How long a child may take; 0: as long as it likes.
struct ChildTimeLimits {
  std::chrono::milliseconds connection;
  std::chrono::milliseconds leave;  // with nothing in hand
  const char* leave_setting;        // what says so
};

// What of a child's end matters to the service.
struct ChildEnd {
  bool asked = false;   // it had been told to leave, or was ended by us
  bool failed = false;  // it counts as failed
  bool proven = false;  // it had accepted a connection
  int exit_code = -1;   // -1: by a signal
};

class Pool {
 public:
  // `index`: the service's on the scoreboard. The references outlive the pool.
  Pool(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index);

  // Claims a slot and forks; `life` gets the slot's index on the scoreboard and runs in the child. False with
  // errno: fork() failed, or (EAGAIN) there is no slot.
  bool start(std::uint32_t generation, bool replacement, Time now,
             const std::function<int(std::uint32_t)>& body);
  // Tells so many to leave, those with most behind them first; surplus ones idle, outdated ones idle before
  // busy.
  void retire(unsigned number, Reason reason, std::uint32_t generation);
  void retire_all(Reason reason);
  void retire_one(std::uint32_t slot, Reason reason);
  unsigned signal_all(int signal) const;  // to how many
  // So many outdated children were told to leave for replacements that are ready.
  void redeem(unsigned replacements);
  void nudge();            // wakes one idle child from its wait
  void release_stopped();  // tells the idle ones among those stopped from outside to leave
  void kill_all(const char* why);

  // As waitid() told. `has_served`: it has, as far as the service can tell, whatever its row says; where it
  // has then ended by itself, that is no failure.
  ChildEnd reaped(std::uint32_t slot, int code, int status, bool has_served);
  void stopped(std::uint32_t slot, bool is_stopped);
  // ABRT, then KILL, then "lost", for children that are beyond it, and for those that take a minute to start.
  // Returns when the next step is due; never: there is nobody to wait for.
  Time end_overdue(const ChildTimeLimits& patience, Time now);
  // Frees the slots of the children that say that they are detached, and knows them no more.
  std::vector<ChildRecord> take_detached();

  // ChildTable that were started before exec().
  void take_over(std::uint32_t slot, const ChildRecord& child) { children_[slot] = child; }
  const ChildTable& children() const { return children_; }
  const ChildCensus& census() const { return census_; }
  unsigned count() const { return children_.count(); }
  std::optional<std::uint32_t> find(pid_t pid) const { return children_.find(pid); }
  void forget() { children_.forget_all(); }  // in a child

 private:
  void tell_to_leave(std::uint32_t slot, Reason reason);
  void free_row(std::uint32_t slot) const;
  void continue_to_leave(std::uint32_t slot, Reason reason);
  Time end_if_still_stopped(std::uint32_t slot, Time now);
  struct Limit {
    Time due = never;
    const char* why = "";
  };
  Limit limit_of(std::uint32_t slot, const ChildTimeLimits& patience, Time now) const;
  void escalate(std::uint32_t slot, const char* why, Time now);

  const Scoreboard& scoreboard_;
  const ParentLock& lock_;
  const std::uint32_t index_;
  ChildTable children_;
  ChildCensus census_;
};

}  // namespace brood
