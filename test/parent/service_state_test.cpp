// SPDX-License-Identifier: MIT
// What a service does about each order in each state, and through which states a stop leads.
#include "parent/service_state.hpp"

#include <doctest/doctest.h>

#include <array>
#include <utility>

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr std::array all_states = {RunState::running,  RunState::paused,     RunState::failed,
                                   RunState::stopping, RunState::restarting, RunState::stopped};
constexpr std::array all_orders = {ServiceOrder::start,  ServiceOrder::stop,   ServiceOrder::restart,
                                   ServiceOrder::pause,  ServiceOrder::resume, ServiceOrder::reload,
                                   ServiceOrder::upgrade};

}  // namespace

TEST_CASE("the table has a row for each order and a column for each state") {
  CHECK(all_states.size() == run_states);
  CHECK(all_orders.size() == service_order_count);
}

TEST_CASE("a service acts on an order by its state") {
  using enum RunState;
  struct {
    const char* what;
    ServiceOrder order;
    RunState state;
    ServiceAction action;
  } const rows[] = {
      {"it runs already", ServiceOrder::start, running, ServiceAction::nothing},
      {"a pause is ended by resume", ServiceOrder::start, paused, ServiceAction::refuse},
      {"a service that has failed is tried again", ServiceOrder::start, failed, ServiceAction::start},
      {"a stop is not broken off", ServiceOrder::start, stopping, ServiceAction::refuse},
      {"it starts by itself", ServiceOrder::start, restarting, ServiceAction::nothing},
      {"started again", ServiceOrder::start, stopped, ServiceAction::start},

      {"drained", ServiceOrder::stop, running, ServiceAction::stop},
      {"what waits in the queue is served", ServiceOrder::stop, paused, ServiceAction::stop},
      {"also a service that has failed", ServiceOrder::stop, failed, ServiceAction::stop},
      {"once is enough", ServiceOrder::stop, stopping, ServiceAction::nothing},
      {"the restart is given up", ServiceOrder::stop, restarting, ServiceAction::stay_stopped},
      {"it has stopped already", ServiceOrder::stop, stopped, ServiceAction::nothing},

      {"stop and start", ServiceOrder::restart, running, ServiceAction::restart},
      {"ends a pause, too", ServiceOrder::restart, paused, ServiceAction::restart},
      {"and a failure", ServiceOrder::restart, failed, ServiceAction::restart},
      {"only the start is missing", ServiceOrder::restart, stopping, ServiceAction::start_later},
      {"twice is as once", ServiceOrder::restart, restarting, ServiceAction::start_later},
      {"a restart is a start", ServiceOrder::restart, stopped, ServiceAction::start_later},

      {"paused", ServiceOrder::pause, running, ServiceAction::pause},
      {"it is paused already", ServiceOrder::pause, paused, ServiceAction::nothing},
      {"no children to pause", ServiceOrder::pause, failed, ServiceAction::refuse},
      {"its listeners are closed soon", ServiceOrder::pause, stopping, ServiceAction::refuse},

      {"it runs already", ServiceOrder::resume, running, ServiceAction::nothing},
      {"resumed", ServiceOrder::resume, paused, ServiceAction::resume},
      {"it is not paused", ServiceOrder::resume, failed, ServiceAction::refuse},
      {"nor is a stopped one", ServiceOrder::resume, stopped, ServiceAction::refuse},

      {"listeners and children", ServiceOrder::reload, running, ServiceAction::reload},
      {"also while it is paused", ServiceOrder::reload, paused, ServiceAction::reload},
      {"may mend a failure", ServiceOrder::reload, failed, ServiceAction::reload},
      {"its listeners are being closed", ServiceOrder::reload, stopping, ServiceAction::reload_later},
      {"at its start", ServiceOrder::reload, restarting, ServiceAction::reload_later},
      {"at its next start", ServiceOrder::reload, stopped, ServiceAction::reload_later},

      {"handed over", ServiceOrder::upgrade, running, ServiceAction::hand_over},
      {"stays paused", ServiceOrder::upgrade, paused, ServiceAction::hand_over},
      {"half of a stop is not handed over", ServiceOrder::upgrade, stopping, ServiceAction::refuse},
      {"nor half of a restart", ServiceOrder::upgrade, restarting, ServiceAction::refuse},
      {"stays stopped", ServiceOrder::upgrade, stopped, ServiceAction::hand_over},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(action_for(row.state, row.order) == row.action);
  }
}

TEST_CASE("an order that is refused comes with advice, and no other one") {
  using enum RunState;
  for (const RunState state : all_states)
    for (const ServiceOrder order : all_orders) {
      CAPTURE(static_cast<int>(state));
      CAPTURE(static_cast<int>(order));
      CHECK(advice_for(state, order).empty() == (action_for(state, order) != ServiceAction::refuse));
    }
  CHECK(advice_for(paused, ServiceOrder::start) == "resume it");
}

TEST_CASE("stop, restart and reload are refused in no state") {
  for (const RunState state : all_states)
    for (const ServiceOrder order : {ServiceOrder::stop, ServiceOrder::restart, ServiceOrder::reload})
      CHECK(action_for(state, order) != ServiceAction::refuse);
}

TEST_CASE("a restart is shown as a stop") {
  using enum RunState;
  CHECK(shown(restarting) == ServiceState::stopping);
  for (const auto& [state, as] :
       {std::pair{running, ServiceState::running}, std::pair{paused, ServiceState::paused},
        std::pair{failed, ServiceState::failed}, std::pair{stopping, ServiceState::stopping},
        std::pair{stopped, ServiceState::stopped}})
    CHECK(shown(state) == as);
}

TEST_CASE("a run: pause, failure, stop and start") {
  using enum RunState;
  const Time deadline = Time() + 30s;
  ServiceRun run;
  CHECK(run.state(true) == running);
  CHECK(run.needs_children());

  run.pause();
  CHECK(run.state(true) == paused);
  CHECK_FALSE(run.needs_children());
  run.resume();
  CHECK(run.state(true) == running);

  run.fail(78);
  CHECK(run.state(true) == failed);
  CHECK(run.fatal_exit() == 78);
  run.clear_failure();
  CHECK(run.state(true) == running);

  run.pause();
  run.stop(deadline);
  CHECK(run.stop_deadline() == deadline);
  CHECK(run.state(true) == stopping);
  CHECK(run.needs_children());  // for the connections in the queues
  run.go_on_to(ServiceRun::Stage::closing);
  CHECK_FALSE(run.needs_children());
  run.go_on_to(ServiceRun::Stage::finishing);
  CHECK(run.state(false) == stopping);
  CHECK(run.state(true) == stopped);

  run.restart_when_stopped(true);
  CHECK(run.state(true) == restarting);
  run.restart_when_stopped(false);
  run.start_failed("Address already in use");
  CHECK(run.state(true) == stopped);
  CHECK(run.start_failure() == "Address already in use");

  run.fail(78);
  run.restart_when_stopped(true);
  CHECK(run.start_failure().empty());
  run.start();
  CHECK(run.state(false) == running);
  CHECK(run.stop_deadline() == never);
}
