// SPDX-License-Identifier: MIT
// One service as the parent has it: listeners, limits, generation and a pool of children. At each look it
// counts, lets the policy decide, and has the pool act. Parent only.
#pragma once

#include <poll.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "brood/server_base.hpp"
#include "child_life.hpp"
#include "configuration.hpp"
#include "heir.hpp"
#include "identity.hpp"
#include "listeners.hpp"
#include "pool.hpp"
#include "throttle.hpp"

namespace brood {

class Service {
 public:
  // Opens the listeners; no child yet. `server` outlives the service.
  Service(ServiceConfiguration configuration, ServerBase& server);
  // What a former program left: opens only what is new. Everything else stays its own until take_over().
  Service(ServiceConfiguration configuration, ServerBase& server, const InheritedService& left);

  const std::string& name() const { return configuration_.name; }
  ServerBase& server() { return server_; }
  std::string addresses() const { return listeners_.addresses(); }
  std::uint32_t slots_wanted() const;  // with room for max-clients to be raised while running

  // What the whole parent has, once it is there; outlives the service. `index`: the service's on the
  // scoreboard. `in_child`: closes, in a fresh child, what is the parent's alone.
  void settle(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index, int wake_fd,
              std::function<void()> in_child);

  void begin();  // says on the scoreboard what the service is
  // Instead: listeners and children are ours from here on. Before a new program, unlike before the former one
  // that has them back, they are of an old generation.
  void take_over(Heir& heir, Time now);
  InheritedService bequest() const;

  // ---- events
  void reaped(std::uint32_t slot, int code, int status, Time now);
  void stopped(std::uint32_t slot, bool is_stopped) { pool_->stopped(slot, is_stopped); }
  // Limits, listeners, a new generation. Opens what is new before anything changes: throws, and all is as
  // before.
  void reload(ServiceConfiguration configuration, Time now);
  void stop(Time limit);           // the ladder: drain, close, finish what is in hand, until `limit`
  void stop_now(const char* why);  // kill
  Time look(Time now);             // count, decide, act; returns when to look again

  enum class Stage { serving, draining, closing, finishing };
  Stage stage() const { return stage_; }
  bool ended() const { return stage_ == Stage::finishing && pool_->tally().all_lost(); }
  bool ready() const { return starts_on_demand() || pool_->tally().any_serving(); }
  // The listeners whose arrivals have to wake the parent, because no child would take them.
  void add_watched(std::vector<pollfd>& to) const;
  bool throttled() const { return throttle_.active(); }
  // A child said that starting again can't help: its exit code.
  std::optional<int> fatal_exit() const { return fatal_exit_; }

  const Pool& pool() const { return *pool_; }
  void forget() { pool_->forget(); }  // in a child

 private:
  bool starts_on_demand() const {
    return configuration_.limits.start_servers == 0 && configuration_.limits.min_spare_servers == 0;
  }
  void lift_throttle(Time now);
  ChildLimits limits_of_a_child() const;
  std::chrono::milliseconds patience_with_a_connection() const;
  void start(unsigned number, bool replacement, Time now);
  void act(const Plan& plan, Time now);
  bool publish(const Thresholds& wanted, unsigned idle_bits);
  void publish_limits();
  void step_of_stopping(Time now);
  Time deadline_of_stage(Time now);
  void warn_of_max_clients();

  ServiceConfiguration configuration_;
  ServerBase& server_;
  Identity identity_;
  Listeners listeners_;
  std::optional<Pool> pool_;
  const Scoreboard* scoreboard_ = nullptr;
  const ParentLock* lock_ = nullptr;
  std::uint32_t index_ = 0;
  int wake_fd_ = -1;
  std::function<void()> in_child_;
  std::uint32_t generation_ = 1;
  Throttle throttle_;
  Pace pace_;
  bool look_for_stranded_ = false;
  bool watches_listeners_ = false;
  Stage stage_ = Stage::serving;
  Time limit_ = never;  // of stopping
  std::optional<int> fatal_exit_;
};

}  // namespace brood
