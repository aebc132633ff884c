// SPDX-License-Identifier: MIT
// The children of one service: starts them, tells them to leave, reaps them. Decides nothing; the caller
// does. Parent only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/crash/crash.hpp"
#include "pool/audit.hpp"
#include "pool/census.hpp"
#include "pool/child_table.hpp"
#include "pool/parent_lock.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

// How long a child may take; 0: without limit.
struct ChildTimeLimits {
  std::chrono::milliseconds connection;        // 0: no limit
  std::chrono::milliseconds connection_grace;  // for the child to end the connection itself
  std::chrono::milliseconds leave;             // without open connections
  const char* leave_setting;                   // the setting's name
  Time counted_from{};                         // no time before counts
};

// A connection that lasts for long.
struct SlowConnection {
  pid_t pid;  // of its child
  std::uint32_t slot;
  Time since;
  std::string serving;  // as ChildRows::serving()
};

// How a child ended.
struct ChildEnd {
  bool asked = false;            // the parent had told it to leave, or has ended it
  bool failed = false;           // it counts as failed
  bool used = false;             // it had accepted a connection
  bool proven = false;           // that it could serve, before it ended
  bool ready = false;            // it had said that it serves
  int exit_code = -1;            // -1: by a signal
  std::optional<Crash> crash{};  // a signal has ended it, and the parent had not asked for that
};

class Pool {
 public:
  // The references outlive the pool.
  Pool(const Scoreboard& scoreboard, const ParentLock& lock)
      : scoreboard_(scoreboard), lock_(lock), children_(scoreboard.slots()), rows_(scoreboard, children_) {}

  // Claims a slot and forks; `body` gets the slot and runs in the child. False with
  // errno: fork() failed, or (EAGAIN) there is no slot.
  bool start(std::uint32_t generation, bool replacement, ChildSignals signals, Time now,
             const std::function<int(std::uint32_t)>& body);
  // Tells so many to leave. DecisionKind::outdated: outdated ones, idle before busy, and of the busy ones
  // those that have their connection for the shortest time; else idle ones only. Those that accepted most
  // come first.
  void retire(unsigned number, DecisionKind kind, std::uint32_t generation);
  void retire_all(Reason reason);
  void retire_one(std::uint32_t slot, Reason reason);
  unsigned signal_all(int signal) const;  // to how many
  // So many replacements that are ready have had their predecessor told to leave: they are children like the
  // others.
  void end_replacements(unsigned number, const CensusRules& rules, Time now);
  void wake_idle_child();        // one, from its wait
  void interrupt_reads() const;  // of handlers that wait for their clients: they look at the limit again
  void
  release_stopped();  // tells those that were stopped from outside, and have no open connection, to leave
  void kill_all(const char* why);

  // `code`, `status`: of waitid(). `reports`: the row says what the child was doing. `has_served`: the
  // service knows that it has, whatever its row says; then it is no failure that it ended by itself.
  // Its pid is still its own.
  void before_reaped(std::uint32_t slot) const;
  ChildEnd reaped(std::uint32_t slot, int code, int status, bool reports, bool has_served);
  // A process has said that its child is ready: that of its process group.
  void ready(pid_t sender);
  void stopped(std::uint32_t slot, bool is_stopped);
  // SIGABRT, then SIGKILL, then "lost", for children that exceed the limits, or take a minute to start.
  struct Overdue {
    Time next = never;       // when the next step is due; never: no child has a limit
    bool escalated = false;  // a step was taken now
  };
  Overdue end_overdue(const ChildTimeLimits& limits, Time now);
  // Those that have lasted for longer than `timeout` since `counted_from`, and were not found before. Of a
  // child with several it is the oldest.
  struct Slow {
    std::vector<SlowConnection> found;
    Time next = never;  // when the next one will have; never: no child has one that may be found
  };
  Slow find_slow(std::chrono::milliseconds timeout, Time counted_from, Time now);
  bool still_serves(const SlowConnection& slow) const;
  // Frees the slots of the children that say that they are detached, and removes them from the pool.
  std::vector<ChildRecord> remove_detached();

  // Writes down which children have become ready, too old, and which are proven. Returns how many of this
  // generation are proven since the last call.
  unsigned note_progress(const CensusRules& rules, Time now);
  // Mends what children have written wrongly, and tells those to leave whose rows make no sense.
  Findings audit(Time now);
  // One scan of the table, under the lock.
  ChildCensus census(const CensusRules& rules, Time now) const;
  unsigned count_busy() const;                // children with open connections
  std::uint64_t connections_aborted() const;  // that were open when their child ended

  // A child that was started before exec().
  void take_over(std::uint32_t slot, const ChildRecord& child) { children_[slot] = child; }
  const ChildTable& children() const { return children_; }
  const ChildRows& rows() const { return rows_; }
  unsigned count() const { return children_.count(); }
  std::optional<std::uint32_t> find(pid_t pid) const { return children_.find(pid); }
  void forget() { children_.forget_all(); }  // in a child

 private:
  Crash crash_of(std::uint32_t slot, int signal) const;
  void tell_to_leave(std::uint32_t slot, Reason reason, DecisionKind kind = DecisionKind::none);
  EndCause cause_of_order(std::uint32_t slot, Reason reason, DecisionKind kind) const;
  EndCause cause_of_end(std::uint32_t slot, int code, int status) const;
  void free_row(std::uint32_t slot) const;
  void continue_to_leave(std::uint32_t slot, Reason reason);
  Time end_if_still_stopped(std::uint32_t slot, const ChildTimeLimits& limits, Time now);
  struct Limit {
    Time due = never;
    const char* why = "";
  };
  Limit limit_of(std::uint32_t slot, const ChildTimeLimits& limits, Time now) const;
  void escalate(std::uint32_t slot, const char* why, Time now);
  // Into the journal: the parent ends it; it is gone.
  void note_end(std::uint32_t slot, std::string_view why) const;
  void note_gone(std::uint32_t slot, int code, int status, bool failed) const;

  const Scoreboard& scoreboard_;
  const ParentLock& lock_;
  ChildTable children_;
  ChildRows rows_;
};

}  // namespace brood
