// SPDX-License-Identifier: MIT
#include "child/leave_state.hpp"

#include <array>
#include <cstddef>

namespace brood {

[[gnu::hot]] LeaveStep step(LeaveStage stage, LeaveEvent event) {
  using enum LeaveStage;
  constexpr auto none = LeaveAction::none;
  constexpr auto leave = LeaveAction::leave;
  constexpr auto hand_back = LeaveAction::hand_back;
  static constexpr std::array<std::array<LeaveStep, 4>, 5> steps = {{
      // due                        detach             quiet                    over
      {{{asking, LeaveAction::ask}, {detaching, none}, {serving, none}, {leaving, leave}}},    // serving
      {{{asking, none}, {detaching, none}, {asking, none}, {leaving, leave}}},                 // asking
      {{{detaching, none}, {detaching, none}, {detached, hand_back}, {detached, hand_back}}},  // detaching
      {{{leaving, none}, {detaching, none}, {leaving, none}, {leaving, none}}},                // leaving
      {{{detached, none}, {detached, none}, {detached, none}, {detached, none}}},              // detached
  }};
  return steps[static_cast<std::size_t>(stage)][static_cast<std::size_t>(event)];
}

[[gnu::hot]] LeaveAction LeaveState::on(LeaveEvent event) {
  const LeaveStep taken = step(stage_, event);
  stage_ = taken.next;
  return taken.action;
}

// A thread that accepts at this moment may still get a connection, which is counted in the slot. So the last
// one out hands the slot back.
LeaveAction LeaveState::detach() {
  on(LeaveEvent::detach);
  return accepting_ == 0 ? on(LeaveEvent::quiet) : LeaveAction::none;
}

LeaveAction LeaveState::over() {
  if (stage_ == LeaveStage::detaching && accepting_ > 0) return LeaveAction::none;
  return on(LeaveEvent::over);
}

[[gnu::hot]] LeaveAction LeaveState::thread_leaves(bool last) {
  --accepting_;
  if (accepting_ > 0) return LeaveAction::none;
  return on(last ? LeaveEvent::over : LeaveEvent::quiet);
}

bool LeaveState::take_hook() {
  if (hook_taken_ || !gone()) return false;
  hook_taken_ = true;
  return true;
}

}  // namespace brood
