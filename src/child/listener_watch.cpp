// SPDX-License-Identifier: MIT
#include "child/listener_watch.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/event_descriptor.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

void set_nonblocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0)
    throw SystemError("set a listener non-blocking", errno);
}

}  // namespace

ListenerWatch::ListenerWatch(std::vector<ChildListener>& listeners, int epoll,
                             std::optional<std::uint64_t> data)
    : listeners_(listeners), epoll_(epoll), data_(data) {
  for (const auto& listener : listeners_) set_nonblocking(listener.descriptor);
  if (data_) {
    look_ = new_event();
    add(look_.get(), EPOLLIN, *data_, "for a request to look");
    // Not when it is needed: then there may be no descriptor left.
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_) throw SystemError("timerfd_create", errno);
    add(timer_.get(), EPOLLIN, *data_, "a timer");
  }
  set(true);
}

void ListenerWatch::add(int descriptor, std::uint32_t events, std::uint64_t data,
                        const std::string& what) const {
  epoll_event event{.events = events, .data = {.u64 = data}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) throw SystemError("watch " + what, errno);
}

bool ListenerWatch::set(bool watched) {
  if (watched == watched_) return false;
  watched_ = watched;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    const ChildListener& listener = listeners_[i];
    if (listener.gone) continue;
    if (watched)
      add(listener.descriptor, EPOLLIN | EPOLLEXCLUSIVE, data_.value_or(i), "listener " + listener.name);
    else
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, listener.descriptor, nullptr);
  }
  return true;
}

bool ListenerWatch::any_waits() const {
  return std::ranges::any_of(listeners_, [](const ChildListener& listener) {
    return !listener.gone && readable(listener.descriptor);
  });
}

void ListenerWatch::take_away(std::size_t listener) {
  ChildListener& its = listeners_[listener];
  if (watched_ && !its.gone) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, its.descriptor, nullptr);
  its.gone = true;
}

void ListenerWatch::pause(std::chrono::milliseconds time) {
  set(false);
  paused_ = true;
  itimerspec after{};
  after.it_value.tv_sec = time.count() / 1000;
  after.it_value.tv_nsec = time.count() % 1000 * 1'000'000;
  ::timerfd_settime(timer_.get(), 0, &after, nullptr);
}

void ListenerWatch::begin_look(bool asked) {
  if (asked || again_) {
    asked_ = true;
    again_ = false;
    clear_event(look_.get());
  }
  if (!paused_) return;
  paused_ = false;
  // The timer is stopped, not read: it may not have expired yet.
  const itimerspec off{};
  ::timerfd_settime(timer_.get(), 0, &off, nullptr);
}

void ListenerWatch::end_look(bool found) {
  asked_ = asked_ && found;
  if (!asked_) return;
  again_ = true;
  tell_event(look_.get());
}

}  // namespace brood
