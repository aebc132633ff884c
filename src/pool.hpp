// SPDX-License-Identifier: MIT
// The children of one service: starts them, tells them to leave, counts them, buries them. Decides nothing;
// whoever asks it to act has. Parent only. Slots are counted from 0 within the service.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "brood/snapshot.hpp"
#include "children.hpp"
#include "parent_lock.hpp"
#include "policy.hpp"
#include "scoreboard.hpp"

namespace brood {

// What of a child's end matters to the service.
struct Death {
  bool asked = false;   // it had been told to leave, or was ended by us
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
             const std::function<int(std::uint32_t)>& life);
  // Tells so many to leave, those with most behind them first; surplus ones idle, outdated ones idle before
  // busy.
  void retire(unsigned number, Reason reason, std::uint32_t generation);
  void retire_all(Reason reason);
  // So many outdated children were told to leave for replacements that are ready.
  void redeem(unsigned replacements);
  void nudge();         // wakes one idle child from its wait
  void kill_stopped();  // the idle ones among those stopped from outside
  void kill_all(const char* why);

  Death reaped(std::uint32_t slot, int code, int status);  // as waitid() told
  void stopped(std::uint32_t slot, bool is_stopped);
  // ABRT, then KILL, then "lost", for children busy with a connection for longer than `timeout` (0: no
  // limit), and for those that take a minute to start or to leave. Returns when the next step is due; never:
  // there is nobody to wait for.
  Time end_overdue(std::chrono::milliseconds timeout, Time now);

  Census census(std::uint32_t generation, std::chrono::milliseconds idle_timeout,
                Time now) const;   // but for the backlog
  std::uint64_t accepted() const;  // connections, by all children that there are and were
  // A child forked after `time` has finished a connection, or has lived for `trial` and has one.
  bool proven_since(Time time, Clock::duration trial, Time now) const;
  bool any_serving() const;
  bool none_accepts() const;  // nobody is left but children that are busy or stopped
  bool all_lost() const;      // nobody is left but children that KILL could not end
  unsigned count() const { return children_.count(); }
  std::optional<std::uint32_t> find(pid_t pid) const { return children_.find(pid); }
  void forget() { children_.forget_all(); }  // in a child

 private:
  std::uint32_t on_table(std::uint32_t slot) const { return first_slot_ + slot; }
  SlotSnapshot view(std::uint32_t slot) const;
  Lifecycle lifecycle(std::uint32_t slot) const;
  bool outdated(std::uint32_t slot, std::uint32_t generation) const;
  bool is_busy(std::uint32_t slot) const;  // has something in hand
  bool is_full(std::uint32_t slot) const;
  Time idle_since(std::uint32_t slot, Time now) const;
  void tell_to_leave(std::uint32_t slot, Reason reason);
  struct Limit {
    Time due = never;
    const char* why = "";
  };
  Limit limit_of(std::uint32_t slot, std::chrono::milliseconds timeout, Time now) const;
  void escalate(std::uint32_t slot, const char* why, Time now);
  std::string serving(std::uint32_t slot) const;  // " while serving 127.0.0.1:4711 'GET /' for 2s", or ""

  const Scoreboard& scoreboard_;
  const ParentLock& lock_;
  const std::uint32_t index_;
  const std::uint32_t first_slot_;
  Children children_;
};

}  // namespace brood
