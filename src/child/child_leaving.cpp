// SPDX-License-Identifier: MIT
// How a child leaves, or hands its slot back and lives on: what it tells the parent and the server's code.
// The waiting that this ends is child_process.cpp's.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

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

void ChildProcess::leave() {
  publish_leaving();
  tell_server();
}

void ChildProcess::publish_leaving() {
  if (detaching_) hand_back();
  if (left_) return;
  left_ = true;
  slot_.leave(why());
}

void ChildProcess::tell_server() {
  {
    const auto turn = this->turn();
    if (!left_ || told_server_) return;
    told_server_ = true;
  }
  // What is in hand must not suffer.
  try {
    server_.on_child_leaving();
  } catch (...) {
    log_error(text("on_child_leaving: ", what_was_thrown()));
  }
}

// What another thread accepts at this moment still has to be counted in the row: the last one out of accept()
// hands it back.
bool ChildProcess::detach() {
  child_signals::limit_as_orphan(detach_timeout_);  // first this: the parent may end at any moment
  if (::getppid() != parent_) return false;
  const auto turn = this->turn();
  detaching_ = true;
  std::ranges::fill(looks_, 0U);
  if (inside_ + trying_ == 0) hand_back();
  return true;
}

void ChildProcess::hand_back() {
  if (handed_back_) return;
  handed_back_ = left_ = true;
  if (watch_) watch_->set(false);
  let_listeners_go();
  slot_.detach();
}

// A child that lives on without its parent's care must not be in the way of the next start.
void ChildProcess::let_listeners_go() const {
  for (const auto& listener : listeners_) ::dup3(dead_.get(), listener.descriptor, O_CLOEXEC);
}

}  // namespace brood
