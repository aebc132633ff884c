// SPDX-License-Identifier: MIT
// One service: its configuration and listeners, how far its run is (ServiceRun) and its children (Growth).
// Parent only.
#pragma once

#include <poll.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/identity.hpp"
#include "brood/server_base.hpp"
#include "listen/listeners.hpp"
#include "parent/failure_hook.hpp"
#include "parent/growth.hpp"
#include "parent/service_state.hpp"
#include "pool/parent_lock.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/configuration.hpp"
#include "settings/scaling.hpp"
#include "upgrade/takeover.hpp"

namespace brood {

class Service;

// What a service uses of its parent.
class ServiceHost {
 public:
  virtual const Scoreboard& scoreboard() const = 0;
  virtual const ParentLock& lock() const = 0;
  virtual int wake_descriptor() const = 0;  // children wake the parent by it
  // In a fresh child of `service`: closes what belongs to the parent or to another service.
  virtual void close_in_child(const Service& service) = 0;

 protected:
  ~ServiceHost() = default;
};

class Service {
 public:
  // Opens the listeners; no child yet.
  Service(ServiceConfiguration configuration, std::shared_ptr<ServerBase> server)
      : Service(std::move(configuration), std::move(server), HandedOverService()) {}
  // Opens only the listeners that a former program has not left. What it has left stays its own until
  // take_over().
  Service(ServiceConfiguration configuration, std::shared_ptr<ServerBase> server,
          const HandedOverService& left);

  // ---- the start: attach(), then begin() or take_over()
  std::uint32_t slots_wanted() const;  // so that max-clients can be raised while running
  std::uint32_t slots_needed() const { return configuration_.limits.max_clients; }
  // `host` outlives the service. `index`: that of the service on the scoreboard.
  void attach(ServiceHost& host, std::uint32_t index);
  void begin() { publish_limits(); }
  // Listeners and children of the former program become ours. For a new program, unlike for the former one
  // that goes on, the children are of an old generation.
  void take_over(Takeover& takeover, Time now);
  HandedOverService hand_over() const;  // throws Error while the service stops

  // ---- events
  Time look(Time now);  // returns when to look again
  void child_ended(std::uint32_t slot, int code, int status, Time now);
  // A process without a slot; false: it does not belong to the service.
  bool process_ended(pid_t pid, int code, int status);
  void child_stopped(std::uint32_t slot, bool is_stopped) { growth_->pool().stopped(slot, is_stopped); }

  // ---- settings
  // Throws Error, and then nothing has changed: new listeners are opened before anything else.
  void reload(ServiceConfiguration configuration, Time now);
  void check(const ServiceConfiguration& configuration) const;  // throws what reload() would refuse
  // Does the part of a reload that can fail. If reload() doesn't follow, forget_prepared() undoes it.
  void prepare(const ServiceConfiguration& configuration);
  void forget_prepared() { listeners_.forget_prepared(); }
  // Other limits until the next reload. `written`: all scaled settings, as they were given. Throws Error, and
  // then nothing has changed.
  void scale(const ServiceConfiguration& scaled, ScaledSettings written);
  const ScaledSettings& scaled() const { return scaled_.written; }

  // ---- orders
  // What the operator can do instead if the order is refused; "": it is not.
  std::string_view refuses(ServiceOrder order) const { return advice_for(run_state(), order); }
  // An order that is not refused; reload() and hand_over() are others. Throws Error if listeners can't be
  // opened, and then the service stays stopped.
  void obey(ServiceOrder order, Time now);
  void stop(Time deadline);  // drains, then children finish their open connections until `deadline`
  void stop_now(const char* why);
  void remove(Time now);  // the settings no longer have it: it stops

  // ---- what it is
  const std::string& name() const { return configuration_.name; }
  ServerBase& server() { return *server_; }
  std::string addresses() const { return listeners_.addresses(); }
  std::uint32_t index() const { return index_; }
  const ServiceConfiguration& configuration() const { return configuration_; }
  const Limits& limits() const { return configuration_.limits; }
  std::uint32_t generation() const { return generation_; }

  // ---- how it is
  RunState run_state() const { return run_.state(growth_->all_lost()); }
  ServiceState state() const { return shown(run_state()); }
  bool removed() const { return run_.removed(); }
  bool ended() const { return run_.stage() == ServiceRun::Stage::finishing && growth_->all_lost(); }
  bool ready() const { return starts_on_demand(limits()) || pool().census({}, Clock::now()).any_serving; }
  bool throttled() const { return growth_->throttled(); }
  // A child has said that its configuration can't work: its exit code.
  std::optional<int> fatal_exit() const { return run_.fatal_exit(); }
  const std::string& start_failure() const { return run_.start_failure(); }  // of a restart
  std::uint64_t connections_lost() const { return pool().connections_aborted() + listeners_.lost(); }
  const Pool& pool() const { return growth_->pool(); }
  Pool& pool() { return growth_->pool(); }
  bool has_child(pid_t pid) const { return pool().find(pid) || growth_->detached().has(pid); }

  // ---- listeners
  bool holds_listeners() const { return run_.stage() != ServiceRun::Stage::finishing; }
  bool drains_listeners() const { return listeners_.draining(); }
  // Those whose arrivals wake the parent, because no child would take them.
  void add_watched(std::vector<pollfd>& to) const;
  bool watches_listeners() const { return growth_->watches_listeners(); }
  // Opens the listeners again that another process, which shares them, has shut down. They would bring
  // nothing more, and wake the parent again and again.
  void revive_listeners();

  // ---- in a child, of this service or of another
  void forget_children() { growth_->pool().forget(); }
  void forget_listeners() { listeners_.forget(); }

 private:
  const ChildKind& kind() const { return ChildKind::of(configuration_); }
  Growth::Input growth_input();
  int child_main(std::uint32_t row, pid_t parent);
  void publish_limits();
  Time stop_deadline(Time now) const;
  void start(Time now);
  void pause();
  void resume();
  void start_if_stopped(Time now);
  void advance_stop(const ChildCensus& census, Time now);
  Time advance_listeners(Time now);
  void take_new_listeners(Time now);

  ServiceConfiguration configuration_;
  std::shared_ptr<ServerBase> server_;
  Identity identity_;
  Listeners listeners_;
  FailureHook failure_hook_;
  ServiceRun run_;
  std::optional<Growth> growth_;  // from attach() on
  ServiceHost* host_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t generation_ = 1;
  struct {
    Limits by_settings;
    ScaledSettings written;
  } scaled_;
};

}  // namespace brood
