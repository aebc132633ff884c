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

#include "base/log/log_target.hpp"
#include "base/process.hpp"
#include "brood/server_base.hpp"
#include "listen/listeners.hpp"
#include "parent/failures/failure_hook.hpp"
#include "parent/failures/stack_reports.hpp"
#include "parent/growth.hpp"
#include "parent/service_state.hpp"
#include "pool/memory_need.hpp"
#include "pool/output/child_output.hpp"
#include "pool/output/forbidden_calls.hpp"
#include "pool/ready_notices.hpp"
#include "scoreboard/report/figures_log.hpp"
#include "scoreboard/scoreboard.hpp"
#include "scoreboard/scoreboard_place.hpp"
#include "settings/service_source.hpp"
#include "upgrade/takeover.hpp"

namespace brood {

class Service;

// What a service uses of its parent.
struct ServerLoad;

class ServiceHost {
 public:
  virtual const ServerFacts& facts() const = 0;
  virtual const ScoreboardPlace& scoreboards() const = 0;
  // What the settings say for a service that starts again. Changes nothing. Throws Error. Only while they
  // are looked up (ServerOrders::when_looked_up()).
  virtual WantedService read_to_start(const Service& service) const = 0;
  // Has them looked up, and calls start_again() then.
  virtual void look_up_to_start(const Service& service) = 0;
  // In a fresh child of `service`: closes what belongs to the parent or to another service.
  virtual void close_in_child(const Service& service) = 0;

 protected:
  ~ServiceHost() = default;
};

class Service {
 public:
  // Opens the listeners, and puts the settings in force; no child yet.
  explicit Service(WantedService wanted) : Service(std::move(wanted), HandedOverService()) {}
  // Opens only the listeners that a former program has not left. What it has left stays its own until
  // take_over().
  Service(WantedService wanted, const HandedOverService& left);

  // ---- the start: attach(), then begin() or take_over()
  // `host` outlives the service. With a scoreboard of its own: a new one, as the service at `position`, or
  // that of the former program. Throws Error or SystemError.
  void attach(ServiceHost& host, std::uint32_t position);
  void attach(ServiceHost& host, const Takeover& takeover);
  void begin() {
    listeners_.keep();
    publish_limits();
  }
  // Listeners and children of the former program become ours. For a new program, unlike for the former one
  // that goes on, the children are of an old generation.
  void take_over(Takeover& takeover, Time now);
  HandedOverService hand_over() const;  // throws Error while the service stops

  // ---- events
  Time look(Time now);  // returns when to look again
  void before_reaped(pid_t pid) const { growth_->before_reaped(pid); }
  void child_ended(std::uint32_t slot, int code, int status, const ProcessUsage& usage, Time now);
  // A process without a slot; false: it does not belong to the service.
  bool process_ended(pid_t pid, int code, int status);
  void child_stopped(std::uint32_t slot, bool is_stopped) {
    const LogScope scope(log_);
    growth_->pool().stopped(slot, is_stopped);
  }

  // The parent did not run for so long, until now.
  void paused(Clock::duration time, Time now);

  // ---- settings
  // Throws Error, and then nothing has changed: log and listeners are opened before anything else.
  void reload(WantedService wanted, Time now);
  void check(const ServiceConfiguration& configuration) const;  // throws what reload() would refuse
  // The same, and tries the listeners that it would open.
  void try_reload(const ServiceConfiguration& configuration) const;
  // In the process that looks up what the settings name: the addresses that reload() or a start will need.
  void look_up_addresses(const ServiceConfiguration& configuration, bool starts) const;
  // Does the part of a reload that can fail. If reload() doesn't follow, forget_prepared() undoes it.
  void prepare(const ServiceConfiguration& configuration);
  void forget_prepared() { listeners_.forget_prepared(); }
  // Other limits until the next reload. Throws Error, and then nothing has changed.
  void scale(std::shared_ptr<const ServiceConfiguration> scaled);
  // An exception is logged.
  void call_reload_hook();
  const ServiceLog& log() const { return log_; }
  void reopen_log() { log_.reopen(); }  // its own, if it has one; throws SystemError

  // ---- orders
  // What the operator can do instead if the order is refused; "": it is not.
  std::string_view refuses(ServiceOrder order) const { return advice_for(run_state(), order); }
  // An order that is not refused; reload() and hand_over() are others. A service that starts again goes by
  // what the settings say then. Throws Error if they are wrong, and then nothing has changed; or if listeners
  // can't be opened, and then the service stays stopped.
  void obey(ServiceOrder order, Time now);
  // The second half of a restart, unless another order has come. `failure`: why the settings were not looked
  // up; "": they were.
  void start_again(const std::string& failure, Time now);
  void stop(Time deadline);  // drains, then children finish their open connections until `deadline`
  void stop_now(const char* why);
  void remove(Time now);  // the settings no longer have it: it stops

  // ---- what it is
  const std::string& name() const { return configuration_->name; }
  ServerBase& server() { return *server_; }
  std::string addresses() const { return listeners_.addresses(); }
  const Scoreboard& scoreboard() const { return *scoreboard_; }
  const std::shared_ptr<const ServiceConfiguration>& in_force() const { return configuration_; }
  const ServiceConfiguration& configuration() const { return *configuration_; }
  const Limits& limits() const { return configuration_->limits; }
  std::uint32_t generation() const { return generation_; }

  // ---- how it is
  RunState run_state() const { return run_.state(growth_->all_lost()); }
  ServiceState state() const { return shown(run_state()); }
  void add_load(ServerLoad& to) const;
  // By a child that serves; empty: there is none yet.
  std::optional<MemoryNeed> memory_need(std::uint64_t of_parent) const;
  bool removed() const { return run_.removed(); }
  bool ended() const { return run_.stage() == ServiceRun::Stage::finishing && growth_->all_lost(); }
  bool ready() const { return starts_on_demand(limits()) || pool().census({}, Clock::now()).any_serving; }
  // An order that has started children can be answered: it is ready and, if its program does not report that
  // it can serve, has lasted for a while.
  bool has_started() const;
  bool throttled() const { return throttle().active(); }
  const Throttle& throttle() const { return growth_->throttle(); }
  // A child has said that its configuration can't work: its exit code.
  std::optional<int> fatal_exit() const { return run_.fatal_exit(); }
  const std::string& start_failure() const { return run_.start_failure(); }  // of a restart
  // False: its program does not report its connections, and only those in the queues are known.
  bool counts_connections() const { return kind().reports(); }
  std::uint64_t connections_lost() const { return pool().connections_aborted() + listeners_.lost(); }
  const Pool& pool() const { return growth_->pool(); }
  Pool& pool() { return growth_->pool(); }

  // ---- listeners
  bool holds_listeners() const { return run_.stage() != ServiceRun::Stage::finishing; }
  bool drains_listeners() const { return listeners_.draining(); }
  // For poll(): the wake-up of the scoreboard. take_wake() is for when it has come.
  pollfd wake_up() const { return {.fd = scoreboard_->wake_descriptor(), .events = POLLIN, .revents = 0}; }
  void take_wake();
  // For poll(): what its children write. take_output() is for when it has come.
  pollfd output() const { return output_.watched(); }
  void take_output() {
    const LogScope scope(log_);
    output_.read(Clock::now());
  }
  // For poll(): which of their programs are ready.
  pollfd notices() const { return notices_.watched(); }
  void take_notices() { notices_.read(takes_ready(), Clock::now()); }
  // For poll(): which calls the sandboxes of its children do not allow.
  pollfd forbidden_calls() const { return forbidden_calls_.watched(); }
  void answer_forbidden_calls() {
    const LogScope scope(log_);
    forbidden_calls_.read(Clock::now());
  }
  // Those whose arrivals wake the parent, because no child would take them.
  void add_watched(std::vector<pollfd>& to) const;
  bool watches_listeners() const { return growth_->watches_listeners(); }
  // Opens the listeners again that another process, which shares them, has shut down. They would bring
  // nothing more, and wake the parent again and again.
  void revive_listeners();

  // ---- in a child, of this service or of another
  void forget_children() {
    growth_->pool().forget();
    output_.forget();
    notices_.forget();
    forbidden_calls_.forget();
  }
  void forget_orders() { scoreboard_->give_up_orders(); }
  // Listeners and scoreboard: nothing that this child does reaches the service. Its object is dead then.
  void forget_all();

 private:
  const ChildKind& kind() const { return ChildKind::of(*configuration_); }
  Growth::Input growth_input();
  int child_main(std::uint32_t slot, pid_t parent);
  void prepare_start();
  ReportProcess report_process();
  CrashReports::Place crash_place();
  SlowReports::Place slow_place();
  ReadyNotices::Ready takes_ready() {
    return [this](pid_t sender) { pool().ready(sender); };
  }
  void advise(std::string_view advice);
  void publish_limits();
  void note(DecisionKind kind) const;  // in the journal
  void open_log(const ServiceConfiguration& configuration);
  void allocate_clients();
  void take(WantedService wanted);
  Time stop_deadline(Time now) const;
  void start(Time now);
  void pause();
  void resume();
  void advance_stop(const ChildCensus& census, Time now);
  Time advance_listeners(Time now);
  void take_over_sandboxes(Takeover& takeover, const HandedOverSandboxes& left);
  void take_new_listeners(Time now);

  std::shared_ptr<const ServiceConfiguration> configuration_;
  std::shared_ptr<ServerBase> server_;
  Listeners listeners_;
  FailureHook failure_hook_;
  StackReports reports_;
  FiguresLog figures_;
  ServiceLog log_;
  ServiceRun run_;
  std::optional<Scoreboard> scoreboard_;  // from attach() on, as the next two
  std::optional<Growth> growth_;
  ChildOutput output_;
  ReadyNotices notices_;
  ForbiddenCalls forbidden_calls_;
  ServiceHost* host_ = nullptr;
  std::uint32_t generation_ = 1;
  std::uint32_t advised_ = 0;  // in which generation
};

}  // namespace brood
