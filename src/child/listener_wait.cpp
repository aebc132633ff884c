// SPDX-License-Identifier: MIT
#include "child/listener_wait.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/event_descriptor.hpp"
#include "brood/error.hpp"
#include "child/child_signals.hpp"

namespace brood {
namespace {

// An event loop may have been woken for several connections before it looked; a thread that waits is woken
// for one. Without a bound the last looks would never end under load.
constexpr unsigned looks_of_loop = 64;

Descriptor new_epoll() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) throw SystemError("epoll_create1", errno);
  return epoll;
}

}  // namespace

ListenerWait::ListenerWait(std::vector<ChildListener> listeners, unsigned threads)
    : listeners_(std::move(listeners)),
      threads_(threads),
      dead_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!dead_) throw SystemError("socket", errno);
  if (listeners_.size() > 1 || listeners_.front().wakes_all)
    wait_in_epoll();
  else
    child_signals::wait_on(listeners_.front().descriptor);
}

std::optional<std::size_t> ListenerWait::wait() const {
  const int epoll = waits_in_;
  if (epoll < 0) return 0;
  epoll_event event{};
  if (::epoll_wait(epoll, &event, 1, -1) != 1) return {};
  return static_cast<std::size_t>(event.data.u64);
}

void ListenerWait::wait_in_epoll() {
  if (watch_) return;
  Descriptor epoll = new_epoll();
  watch_.emplace(listeners_, epoll.get(), std::nullopt);
  looks_.assign(listeners_.size(), threads_);
  epoll_ = std::move(epoll);
  child_signals::wait_on(epoll_.get());
  waits_in_ = epoll_.get();  // last: a thread that waits there must be within reach of the handler
}

void ListenerWait::take_away(std::size_t listener) {
  wait_in_epoll();
  watch_->take_away(listener);
}

void ListenerWait::close_listeners() {
  if (watch_)
    watch_->set(false);  // the siblings keep the listeners open, so they would stay in the epoll set
  for (const auto& listener : listeners_) ::dup3(dead_.get(), listener.descriptor, O_CLOEXEC);
}

std::optional<std::size_t> ListenerWait::claim_last_look() {
  const auto found = std::ranges::find_if(looks_, [](unsigned looks) { return looks > 0; });
  if (found == looks_.end()) return {};
  --*found;
  return static_cast<std::size_t>(found - looks_.begin());
}

void ListenerWait::skip_last_looks() { std::ranges::fill(looks_, 0U); }

void ListenerWait::watch_listeners(int epoll, std::uint64_t data) {
  own_loop_ = true;
  child_signals::wait_on(-1);
  watch_.emplace(listeners_, epoll, data);
  looks_.assign(listeners_.size(), looks_of_loop);
  child_signals::tell(leave_fd(), watch_->look_fd());
}

int ListenerWait::listener_fd() {
  if (own_loop_) return epoll_.get();
  Descriptor epoll = new_epoll();
  watch_listeners(epoll.get(), 0);
  epoll_ = std::move(epoll);
  return epoll_.get();
}

int ListenerWait::leave_fd() {
  if (!leave_) {
    leave_ = new_event();
    child_signals::tell(leave_.get(), watch_ ? watch_->look_fd() : -1);
  }
  return leave_.get();
}

}  // namespace brood
