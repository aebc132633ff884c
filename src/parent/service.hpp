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

#include "base/identity.hpp"
#include "brood/server_base.hpp"
#include "child/child_main.hpp"
#include "listen/listeners.hpp"
#include "parent/failure_hook.hpp"
#include "pool/detached.hpp"
#include "pool/pool.hpp"
#include "pool/throttle.hpp"
#include "settings/configuration.hpp"
#include "settings/scaling.hpp"
#include "upgrade/takeover.hpp"

namespace brood {

class Service {
 public:
  // Opens the listeners; no child yet.
  Service(ServiceConfiguration configuration, std::shared_ptr<ServerBase> server)
      : Service(std::move(configuration), std::move(server), HandedOverService()) {}
  // What a former program left: opens only what is new. Everything else stays its own until take_over().
  Service(ServiceConfiguration configuration, std::shared_ptr<ServerBase> server,
          const HandedOverService& left);

  const std::string& name() const { return configuration_.name; }
  ServerBase& server() { return *server_; }
  std::string addresses() const { return listeners_.addresses(); }
  std::uint32_t slots_wanted() const;  // with room for max-clients to be raised while running
  std::uint32_t slots_needed() const { return configuration_.limits.max_clients; }

  // What the whole parent has, once it is there; outlives the service. `index`: the service's on the
  // scoreboard. `in_child`: closes, in a fresh child of this service, what is not its business.
  void settle(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index, int wake_fd,
              std::function<void(const Service& of)> in_child);

  void begin() { publish_limits(); }  // says on the scoreboard what the service is
  // Instead: listeners and children are ours from here on. Before a new program, unlike before the former one
  // that has them back, they are of an old generation.
  void take_over(Takeover& takeover, Time now);
  HandedOverService hand_over() const;  // throws Error while the service is on its way out

  // ---- events
  void reaped(std::uint32_t slot, int code, int status, Time now);
  // A process without a slot; false: it is none of the service's.
  bool reaped_without_slot(pid_t pid, int code, int status);
  void stopped(std::uint32_t slot, bool is_stopped) { pool_->stopped(slot, is_stopped); }
  // Limits, listeners, a new generation. Opens what is new before anything changes: throws, and all is as
  // before.
  void reload(ServiceConfiguration configuration, Time now);
  void check(const ServiceConfiguration& configuration) const;  // throws what reload() would refuse of it
  // What of a reload may fail: throws, and all is as before. Where reload() doesn't follow,
  // forget_prepared().
  void prepare(const ServiceConfiguration& configuration);
  void forget_prepared() { listeners_.forget_prepared(); }
  void stop(Time limit);           // the ladder: drain, close, finish what is in hand, until `limit`
  void stop_now(const char* why);  // kill
  void dismiss(Time now);          // stops, for it is no longer wanted: others go on
  Time look(Time now);             // count, decide, act; returns when to look again

  // ---- orders of an operator, each given in a state that fits (service_control.cpp)
  // The children leave, and what comes waits in the listeners' queues.
  void pause();
  void resume();
  // After stop(); opens the listeners again: throws, and it stays stopped. Or after it has failed.
  void start_again(Time now);
  // As stop(), and then start_again() by itself; where that fails, start_failure() says why.
  void restart(Time limit);
  bool starts_after_stop() const { return starts_after_stop_; }
  const std::string& start_failure() const { return start_failure_; }
  // Other limits, until the next reload; `written`: as they were given, with those of earlier orders. Throws,
  // and all is as before.
  void scale(const ServiceConfiguration& scaled, ScaledSettings written);
  const ScaledSettings& scaled() const { return scaled_; }
  ServiceState state() const;
  const ServiceConfiguration& configuration() const { return configuration_; }
  const Limits& limits() const { return configuration_.limits; }
  std::uint32_t generation() const { return generation_; }
  bool drains_listeners() const { return listeners_.draining(); }
  std::uint64_t connections_lost() const { return pool_->census().aborted() + listeners_.lost(); }

  enum class Stage { serving, draining, closing, finishing };
  Stage stage() const { return stage_; }
  bool dismissed() const { return dismissed_; }
  bool holds_listeners() const { return stage_ != Stage::finishing; }
  bool ended() const {
    return stage_ == Stage::finishing && pool_->census().all_lost() && detached_.all_lost();
  }
  bool ready() const { return starts_on_demand() || pool_->census().any_serving(); }
  // The listeners whose arrivals have to wake the parent, because no child would take them.
  void add_watched(std::vector<pollfd>& to) const {
    if (watches_listeners_) listeners_.add_watched(to);
  }
  bool watches_listeners() const { return watches_listeners_; }
  // Opens anew those that somebody has ended who shares them: they bring nothing more, and would wake the
  // parent for ever.
  void revive_listeners();
  bool throttled() const { return throttle_.active(); }
  // A child said that starting again can't help: its exit code.
  std::optional<int> fatal_exit() const { return fatal_exit_; }

  std::uint32_t index() const { return index_; }
  const Pool& pool() const { return *pool_; }
  const Detached& detached() const { return detached_; }
  Pool& pool() { return *pool_; }
  // In a child, of this service or of another.
  void forget() { pool_->forget(); }
  void forget_listeners() { listeners_.forget(); }

 private:
  bool starts_on_demand() const {
    return configuration_.limits.start_servers == 0 && configuration_.limits.min_spare_servers == 0;
  }
  // Its children are a program that has the listeners, and tells nothing of what it does with them.
  bool silent() const {
    return configuration_.model.command && configuration_.command.gets() == CommandGets::listeners;
  }
  bool has_served(std::uint32_t slot, int code, int status, Time now) const;
  void lift_throttle(Time now);
  ChildLimits limits_of_a_child() const;
  ChildTimeLimits patience() const;
  void let_detached_go(Time now);
  void start(unsigned number, bool replacement, Time now);
  void act(const Plan& plan, Time now);
  bool publish(const Thresholds& wanted, unsigned idle_bits);
  void publish_limits();
  void take_new_settings(Time now);
  void step_of_stopping(Time now);
  void start_after_stop(Time now);
  Time deadline_of_stage(Time now);
  void warn_of_max_clients();

  ServiceConfiguration configuration_;
  std::shared_ptr<ServerBase> server_;
  Identity identity_;
  Listeners listeners_;
  std::optional<Pool> pool_;
  Detached detached_;
  FailureHook failure_command_;
  const Scoreboard* scoreboard_ = nullptr;
  const ParentLock* lock_ = nullptr;
  std::uint32_t index_ = 0;
  int wake_fd_ = -1;
  std::function<void(const Service& of)> in_child_;
  std::uint32_t generation_ = 1;
  Throttle throttle_;
  Pace pace_;
  bool look_for_stranded_ = false;
  bool watches_listeners_ = false;
  Stage stage_ = Stage::serving;
  bool dismissed_ = false;
  Time limit_ = never;  // of stopping
  std::optional<int> fatal_exit_;
  bool paused_ = false;
  bool starts_after_stop_ = false;
  std::string start_failure_;
  Limits limits_by_settings_;
  ScaledSettings scaled_;
};

}  // namespace brood
