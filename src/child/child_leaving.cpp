// SPDX-License-Identifier: MIT
// How a child leaves, or hands its slot back and finishes without one: tells the parent, and calls the
// server's hook.
#include <unistd.h>

#include "base/text.hpp"
#include "brood/log.hpp"
#include "child/child_process.hpp"
#include "child/child_signals.hpp"

namespace brood {
namespace {

ChildProcess* serving_child = nullptr;

}  // namespace

Reason ChildProcess::why() const {
  if (::getppid() != parent_) return Reason::parent_gone;
  if (slot_.must_leave()) return slot_.leave_reason();
  return child_signals::retired() ? Reason::own_stop : Reason::stop;
}

ChildProcess* ChildProcess::serving() { return serving_child; }

void ChildProcess::ready() {
  slot_.ready();
  serving_child = this;
}

void ChildProcess::act(LeaveAction action) {
  switch (action) {
    case LeaveAction::none:
      return;
    case LeaveAction::ask:
      return slot_.ask(slot_.outdated() ? Reason::recycle : Reason::cap);
    case LeaveAction::leave:
      return slot_.leave(why());
    case LeaveAction::hand_back:
      // The parent no longer watches over this child, so it must not keep a listener open.
      wait_.close_listeners();
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
    server_.on_child_leaving();
  } catch (...) {
    log_error(text("on_child_leaving: ", what_was_thrown()));
  }
}

bool ChildProcess::detach() {
  child_signals::limit_as_orphan(detach_timeout_);  // before the check: the parent may end at any moment
  if (::getppid() != parent_) return false;
  const auto turn = this->turn();
  wait_.skip_last_looks();
  act(state_.detach());
  return true;
}

void ChildProcess::end_loop() {
  const auto turn = this->turn();
  if (state_.gone()) return;
  wait_.set_watched(false);
  act(state_.over());
  if (::getppid() != parent_) wait_.close_listeners();
}

}  // namespace brood
