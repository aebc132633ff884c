// SPDX-License-Identifier: MIT
#include "child/listeners/listener_watch.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/clock.hpp"
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

ListenerWatch::ListenerWatch(std::vector<ChildListener>& listeners, std::vector<int> epolls,
                             std::optional<std::uint64_t> data, Reports reports)
    : listeners_(listeners), epolls_(std::move(epolls)), data_(data), reports_(reports) {
  for (const auto& listener : listeners_) set_nonblocking(listener.descriptor);
  if (data_) {
    look_ = new_event();
    add(look_.get(), EPOLLIN, *data_, "for a request to look");
    // Not when it is needed: then there may be no descriptor left.
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_) throw SystemError("timerfd_create", errno);
    add(timer_.get(), EPOLLIN, *data_, "a timer");
    if (reports_ == Reports::arrivals) {
      more_ = new_event();
      add(more_.get(), EPOLLIN | EPOLLET, *data_, "for what waits still");
    }
  }
  set(true);
}

void ListenerWatch::add(int descriptor, std::uint32_t events, std::uint64_t data,
                        const std::string& what) const {
  epoll_event event{.events = events, .data = {.u64 = data}};
  for (const int epoll : epolls_)
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) throw SystemError("watch " + what, errno);
}

// Can't fail: it was added.
void ListenerWatch::remove(int descriptor) const {
  for (const int epoll : epolls_) ::epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nullptr);
}

bool ListenerWatch::set(bool watched) {
  if (watched == watched_) return false;
  watched_ = watched;
  const std::uint32_t events = EPOLLIN | EPOLLEXCLUSIVE | (reports_ == Reports::arrivals ? EPOLLET : 0U);
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    const ChildListener& listener = listeners_[i];
    if (listener.gone) continue;
    if (watched)
      add(listener.descriptor, events, data_.value_or(i), "listener " + listener.name);
    else
      remove(listener.descriptor);
  }
  return true;
}

void ListenerWatch::go_behind() {
  if (set(false)) set(true);
}

bool ListenerWatch::any_waits() const {
  return std::ranges::any_of(listeners_, [](const ChildListener& listener) {
    return !listener.gone && readable(listener.descriptor);
  });
}

void ListenerWatch::take_away(std::size_t listener) {
  ChildListener& its = listeners_[listener];
  if (watched_ && !its.gone) remove(its.descriptor);
  its.gone = true;
}

void ListenerWatch::pause(std::chrono::milliseconds time) {
  set(false);
  paused_ = true;
  paused_until_ = Clock::now() + time;
  const itimerspec after{.it_interval = {}, .it_value = to_timespec(time)};
  ::timerfd_settime(timer_.get(), 0, &after, nullptr);  // can't fail with a valid time
}

void ListenerWatch::begin_look(bool asked) {
  if (asked || again_) {
    asked_ = true;
    again_ = false;
    clear_event(look_.get());
  }
  rest_of_pause_.reset();
  if (!paused_) return;
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(paused_until_ - Clock::now());
  rest_of_pause_ = std::max(rest, std::chrono::milliseconds(0));
  paused_ = false;
  // The timer is stopped, not read: it may not have expired yet.
  const itimerspec off{};
  ::timerfd_settime(timer_.get(), 0, &off, nullptr);  // as above
}

void ListenerWatch::end_look(bool found) {
  if (more_ && watched_ && any_waits()) tell_event(more_.get());
  asked_ = asked_ && found;
  if (!asked_) return;
  again_ = true;
  tell_event(look_.get());
}

}  // namespace brood
