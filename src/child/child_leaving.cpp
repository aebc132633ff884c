// SPDX-License-Identifier: MIT
// How a child leaves, or hands its slot back and finishes without one: tells the parent, and calls the
// server's hook.
#include <poll.h>
#include <unistd.h>

#include "base/text.hpp"
#include "brood/log.hpp"
#include "child/child_process.hpp"
#include "child/child_signals.hpp"
#include "child/crash/throw_place.hpp"
#include "child/own_counters.hpp"

namespace brood {
namespace {

ChildProcess* serving_child = nullptr;

}  // namespace

Reason ChildProcess::why() const {
  if (::getppid() != parent_) return Reason::parent_gone;
  if (slot_.must_leave()) return slot_.leave_reason();
  return child_signals::retired() ? Reason::own_stop : Reason::stop;
}

Reason ChildProcess::why_replaced() const {
  if (slot_.outdated()) return Reason::recycle;
  return memory_.exceeded() ? Reason::memory : Reason::cap;
}

ChildProcess* ChildProcess::serving() { return serving_child; }

void ChildProcess::ready() {
  slot_.ready();
  serving_child = this;
}

[[gnu::hot]] void ChildProcess::act(LeaveAction action) {
  switch (action) {
    case LeaveAction::none:
      return;
    case LeaveAction::ask:
      return slot_.ask(why_replaced());
    case LeaveAction::leave:
      return slot_.leave(why());
    case LeaveAction::hand_back:
      // The parent no longer watches over this child, so it must not keep a listener open.
      wait_.close_listeners();
      unbind(counters_);
      return slot_.detach();
  }
}

void ChildProcess::leave() {
  {
    const auto turn = this->turn();
    act(state_.over());
  }
  call_leave_hook();
}

void ChildProcess::call_leave_hook() {
  {
    const auto turn = this->turn();
    if (!state_.take_hook()) return;
  }
  // An exception must not harm the connections that are still open.
  try {
    note_throw_place([this] { server_.on_child_leaving(); });
  } catch (...) {
    log_error(text("on_child_leaving: ", what_was_thrown(), where_thrown()));
  }
}

// In turn, while so many threads accept. When the time is over, the loop looks again.
bool ChildProcess::loop_holds_back(unsigned accepting) {
  if (!state_.accepts() || !slot_.far_beyond_cap(accepting) || leaving() || !slot_.may_be_replaced())
    return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(hold_until() - Clock::now());
  if (left.count() <= 0) return false;
  wait_.watch().pause(left);
  return true;
}

// In turn. Its replacement is there, and whom the parent wakes takes what a loop was woken for.
void ChildProcess::leave_last_looks() {
  const bool replaced = slot_.must_leave() && slot_.leave_reason() == Reason::recycle;
  if (!replaced || !slot_.far_beyond_cap(state_.accepting())) return;
  wait_.skip_last_looks();
  if (wait_.watch().any_waits()) slot_.call_parent();
}

bool ChildProcess::detach() {
  child_signals::limit_as_orphan(detach_timeout_);  // before the check: the parent may end at any moment
  if (::getppid() != parent_) return false;
  const auto turn = this->turn();
  wait_.skip_last_looks();
  act(state_.detach());
  return true;
}

// A child that is far beyond its cap leaves what comes to the others until its replacement is ready. If that
// takes long, or can't be, it serves on.
Time ChildProcess::hold_until() {
  if (held_until_ == Time{}) held_until_ = Clock::now() + longest_hold;
  return held_until_;
}

// A loop must not wait here, because it has other connections.
void ChildProcess::hold_back() {
  const Time until = [&] {
    const auto turn = this->turn();
    return wait_.own_loop() ? Time::min() : hold_until();
  }();
  constexpr int between_looks = 5;  // milliseconds; the order to leave ends one early
  while (Clock::now() < until && !leaving() && slot_.may_be_replaced()) ::poll(nullptr, 0, between_looks);
}

void ChildProcess::end_loop() {
  const auto turn = this->turn();
  if (state_.gone()) return;
  wait_.set_watched(false);
  act(state_.over());
  if (::getppid() != parent_) wait_.close_listeners();
}

}  // namespace brood
