// SPDX-License-Identifier: MIT
// The children of one service. At each look they are counted, decide() (pool/policy.hpp) says how many are
// missing and how many are too many, and the pool starts them and tells them to leave. Parent only.
#pragma once

#include <functional>
#include <string>

#include "parent/child_kind.hpp"
#include "pool/detached.hpp"
#include "pool/throttle.hpp"

namespace brood {

struct HandedOverService;

class Growth {
 public:
  // What a look needs to know of the service.
  struct Input {
    const ServiceConfiguration& configuration;
    const ChildKind& kind;
    const Listeners& listeners;
    std::uint32_t generation;
    bool may_start;                                    // false: starting another child can't help
    std::function<int(std::uint32_t row)> child_main;  // in the child; `row`: its slot on the scoreboard
  };

  // `index`: that of the service on the scoreboard. The references outlive it.
  Growth(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index);
  // Children that were started before exec().
  void take_over(const HandedOverService& left);

  // ---- at each look
  void take_detached(Time now);
  ChildCensus census(const Input& service, Time now) const;
  // Ends the children that take too long. If `grows`, decides and acts. Returns when to look again.
  Time look(const Input& service, ChildCensus census, bool grows, Time now);

  // ---- events
  ChildEnd child_ended(const Input& service, std::uint32_t slot, int code, int status, Time now);
  // False: the process is none of the detached children. `failed`: it counts as a failure.
  bool detached_ended(pid_t pid, int code, int status, bool& failed);
  // A child that was started could not serve: the next start waits.
  void start_failed(const std::string& service, Time now);

  // ---- orders
  void start_over();  // start-servers at once; former failures don't count
  void forget_failures() { throttle_.cleared(); }
  void kill_all(const char* why);

  // ---- what there is
  bool throttled() const { return throttle_.active(); }
  bool watches_listeners() const { return watches_listeners_; }  // no child would take what comes
  bool all_lost() const;  // nobody is left but children that SIGKILL can't end
  Pool& pool() { return pool_; }
  const Pool& pool() const { return pool_; }
  const Detached& detached() const { return detached_; }

 private:
  Time grow(const Input& service, const ChildCensus& census, Time overdue, Time now);
  void wake_stranded(const Input& service, const Census& counts);
  void act(const Plan& plan, const Input& service, Time now);
  void start(unsigned number, bool replacement, const Input& service, Time now);
  bool publish(const Thresholds& wanted, unsigned idle_bits) const;
  void lift_throttle(const ChildCensus& census);

  const Scoreboard& scoreboard_;
  const std::uint32_t index_;
  Pool pool_;
  Detached detached_;
  Throttle throttle_;
  Pace pace_;
  bool may_strand_ = false;  // a child that has left may have taken the wake-up for a connection along
  bool watches_listeners_ = false;
};

bool starts_on_demand(const Limits& limits);  // no child waits for connections

}  // namespace brood
