// SPDX-License-Identifier: MIT
// The state of a service, and what it does about an order in each state. Pure: it knows neither children nor
// listeners, and changes nothing else. Parent only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "brood/scoreboard_types.hpp"

namespace brood {

enum class RunState : std::uint8_t {
  running,
  paused,  // no children; the listeners are open
  failed,  // the children's configuration can't work: none is started
  stopping,
  restarting,  // stopping, and it starts again then
  stopped
};
inline constexpr std::size_t run_states = 6;
// As the scoreboard, the log and answers have it.
ServiceState shown(RunState state);

enum class ServiceOrder : std::uint8_t { start, stop, restart, pause, resume, reload, upgrade };
inline constexpr std::size_t service_order_count = 7;

enum class ServiceAction : std::uint8_t {
  nothing,       // it is as ordered, or will be without the order
  refuse,        // in this state the order makes no sense
  start,         // open the listeners that are closed, and start children
  stop,          // drain the listeners, then let the children leave
  restart,       // stop, and start when it has stopped
  start_later,   // only the second half of that
  stay_stopped,  // it was to start when it has stopped: not any more
  pause,         // let the children leave
  resume,        // start children
  reload,        // take the new configuration: listeners now, children one by one
  reload_later,  // take the new configuration; listeners and children follow at the next start
  hand_over      // to the next program of the parent's process
};

ServiceAction action_for(RunState state, ServiceOrder order);
// What the operator can do instead. "": the order is not refused.
std::string_view advice_for(RunState state, ServiceOrder order);

// How far a service is between its start and its stop. A stop has stages: the listeners are drained; the
// children are told to leave; they finish their open connections.
class ServiceRun {
 public:
  enum class Stage { serving, draining, closing, finishing };

  // `all_gone`: no child is left that could still be waited for.
  RunState state(bool all_gone) const;
  Stage stage() const { return stage_; }
  bool serving() const { return stage_ == Stage::serving; }
  // Whether children are needed: while it serves, and until its queues are empty.
  bool needs_children() const { return stage_ < Stage::closing && !paused_; }

  void start();  // also after it has failed
  void pause() { paused_ = true; }
  void resume() { paused_ = false; }
  void stop(Time deadline);
  void postpone(Clock::duration time);  // the deadline of the stop
  void go_on_to(Stage stage) { stage_ = stage; }
  void restart_when_stopped(bool restarts);
  bool restarts() const { return restarts_; }
  Time stop_deadline() const { return stop_deadline_; }

  // A child has said that starting another one can't help: its exit code.
  void fail(int exit_code) { fatal_exit_ = exit_code; }
  void clear_failure() { fatal_exit_.reset(); }
  std::optional<int> fatal_exit() const { return fatal_exit_; }
  // Why the last start of a restart failed; "": it did not.
  void start_failed(std::string why) { start_failure_ = std::move(why); }
  const std::string& start_failure() const { return start_failure_; }

  // The settings no longer have it: it stops, and is forgotten then.
  void remove() { removed_ = true; }
  bool removed() const { return removed_; }

 private:
  Stage stage_ = Stage::serving;
  bool paused_ = false;
  bool restarts_ = false;
  bool removed_ = false;
  Time stop_deadline_ = never;
  std::optional<int> fatal_exit_;
  std::string start_failure_;
};

}  // namespace brood
