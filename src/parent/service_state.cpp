// SPDX-License-Identifier: MIT
#include "parent/service_state.hpp"

#include <array>

namespace brood {
namespace {

using Row = std::array<ServiceAction, run_states>;
using Table = std::array<Row, service_order_count>;

constexpr Table action_table() {
  using enum ServiceAction;
  // clang-format off
  return {{
      //              running    paused     failed     stopping      restarting    stopped
      /* start   */ { nothing,   refuse,    start,     refuse,       nothing,      start        },
      /* stop    */ { stop,      stop,      stop,      nothing,      stay_stopped, nothing      },
      /* restart */ { restart,   restart,   restart,   start_later,  start_later,  start_later  },
      /* pause   */ { pause,     nothing,   refuse,    refuse,       refuse,       refuse       },
      /* resume  */ { nothing,   resume,    refuse,    refuse,       refuse,       refuse       },
      /* reload  */ { reload,    reload,    reload,    reload_later, reload_later, reload_later },
      /* upgrade */ { hand_over, hand_over, hand_over, refuse,       refuse,       hand_over    },
  }};
  // clang-format on
}

constexpr Table actions = action_table();

}  // namespace

ServiceState shown(RunState state) {
  constexpr std::array<ServiceState, run_states> all = {ServiceState::running,  ServiceState::paused,
                                                        ServiceState::failed,   ServiceState::stopping,
                                                        ServiceState::stopping, ServiceState::stopped};
  return all[static_cast<std::size_t>(state)];
}

ServiceAction action_for(RunState state, ServiceOrder order) {
  return actions[static_cast<std::size_t>(order)][static_cast<std::size_t>(state)];
}

std::string_view advice_for(RunState state, ServiceOrder order) {
  if (action_for(state, order) != ServiceAction::refuse) return "";
  switch (order) {
    case ServiceOrder::start:
      return state == RunState::paused ? "resume it" : "wait until it has stopped, or restart it";
    case ServiceOrder::pause:
      return "only a service that runs can be paused";
    case ServiceOrder::resume:
      return "only a service that is paused can be resumed";
    default:
      return "wait until it has stopped";
  }
}

RunState ServiceRun::state(bool all_gone) const {
  if (!serving()) {
    if (restarts_) return RunState::restarting;
    return stage_ == Stage::finishing && all_gone ? RunState::stopped : RunState::stopping;
  }
  if (fatal_exit_) return RunState::failed;
  return paused_ ? RunState::paused : RunState::running;
}

void ServiceRun::start() {
  stage_ = Stage::serving;
  restarts_ = false;
  stop_deadline_ = never;
  fatal_exit_.reset();
  start_failure_.clear();
}

void ServiceRun::postpone(Clock::duration time) {
  if (stop_deadline_ != never) stop_deadline_ += time;
}

void ServiceRun::stop(Time deadline) {
  paused_ = false;  // until the queues are empty, children are needed
  stage_ = Stage::draining;
  stop_deadline_ = deadline;
}

void ServiceRun::restart_when_stopped(bool restarts) {
  restarts_ = restarts;
  if (restarts) start_failure_.clear();
}

}  // namespace brood
