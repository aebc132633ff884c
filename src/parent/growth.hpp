// SPDX-License-Identifier: MIT
// The children of one service. At each look they are counted, decide() (pool/policy.hpp) says how many are
// missing and how many are too many, and the pool starts them and tells them to leave. Parent only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "child/connection/patience.hpp"
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
    bool may_start;                                     // false: starting another child can't help
    std::function<void()> prepare_start;                // in the parent, before children are started
    std::function<int(std::uint32_t slot)> child_main;  // in the child
    bool tell_activity = false;  // the parent is to be woken by the next child that becomes busy
    std::function<void(SlowConnection)> note_slow;
  };

  explicit Growth(const Scoreboard& scoreboard);  // which outlives it
  Growth(const Growth&) = delete;
  Growth& operator=(const Growth&) = delete;
  // Children that were started before exec(). `new_program`: it is not the former one that goes on.
  void take_over(const HandedOverService& left, bool new_program);

  // ---- at each look
  // Notices what children have done since the last look: detached themselves, or proven themselves.
  void notice(const Input& service, Time now);
  // Mends what children have written wrongly, and reports it. Returns when to look again.
  Time audit(const std::string& service, Time now);
  ChildCensus census(const Input& service, Time now) const;
  // Ends the children that take too long. If `grows`, decides and acts. Returns when to look again.
  Time look(const Input& service, ChildCensus census, bool grows, Time now);

  // ---- events
  void before_reaped(pid_t pid) const;  // of any process
  ChildEnd child_ended(const Input& service, std::uint32_t slot, int code, int status, Time now);
  // False: the process is none of the detached children. `failed`: it counts as a failure.
  bool detached_ended(pid_t pid, int code, int status, bool& failed);
  // The parent did not run until now: each time limit of a child begins again.
  void paused(Time now) {
    paused_until_ = now;
    pace_.waits_since = never;  // children may not have run either
  }
  // A child that was started could not serve: the next start waits.
  void start_failed(const std::string& service, Time now);

  // ---- orders
  void start_over();  // start-servers at once; former failures don't count
  void forget_failures() { throttle_.start_over(); }
  void kill_all(const char* why);

  // ---- what there is
  const Throttle& throttle() const { return throttle_; }
  bool watches_listeners() const { return watches_listeners_; }  // no child would take what comes
  bool all_lost() const;  // nobody is left but children that SIGKILL can't end
  Pool& pool() { return pool_; }
  const Pool& pool() const { return pool_; }
  const Detached& detached() const { return detached_; }

 private:
  // When the next child must end, and when the next connection is slow; never: none is watched.
  struct Watched {
    Time overdue, slow;
  };
  static bool awaits_busy(const Limits& limits, const ChildTimeLimits& of_child, Watched watched, Time now);
  Time grow(const Input& service, const ChildCensus& census, Watched watched, Time now);
  unsigned fewest_idle(const ChildCensus& census) const;
  void wake_stranded(const Input& service, const Census& counts);
  CensusRules rules(const Input& service, Time now) const;
  ChildTimeLimits child_time_limits(const Input& service) const;
  void take_detached(Time now);
  void saw(const ChildCensus& census) const;
  void act(const Plan& plan, const Census& counts, const Input& service, Time now);
  // `spares`: what is wrong with them.
  void start(unsigned number, DecisionKind kind, std::string_view spares, const Input& service, Time now);
  Time act_on_overload(const ServiceConfiguration& service, bool full, const ChildCensus& census, Time now);
  void limit_reads(std::chrono::milliseconds limit, Time now);
  bool publish(const Thresholds& wanted, const Spares& seen, unsigned busy_seen) const;

  const Scoreboard& scoreboard_;
  const ParentLock lock_;
  Pool pool_;
  Detached detached_;
  Throttle throttle_;
  Pace pace_;
  std::uint32_t generation_ = 0;  // that the throttle knows
  bool may_strand_ = false;       // a child that has left may have taken the wake-up for a connection along
  bool watches_listeners_ = false;
  Time paused_until_{};
  Overload overload_;
  Time reads_interrupted_at_ = Time::min();
  Time damage_reported_at_ = Time::min();
};

bool starts_on_demand(const Limits& limits);  // no child waits for connections

}  // namespace brood
