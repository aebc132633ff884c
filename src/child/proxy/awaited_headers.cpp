// SPDX-License-Identifier: MIT
#include "child/proxy/awaited_headers.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "brood/error.hpp"

namespace brood {
namespace {

void watch(int epoll, int descriptor, epoll_data data, const char* what) {
  epoll_event event{.events = EPOLLIN, .data = data};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0 && errno != EEXIST)
    throw SystemError(what, errno);
}

}  // namespace

AwaitedHeaders::AwaitedHeaders(const ProxySettings& settings)
    : senders_(settings.from),
      timeout_(settings.timeout),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!epoll_ || !timer_) throw SystemError("wait for PROXY headers", errno);
  watch(epoll_.get(), timer_.get(), {.ptr = nullptr}, "watch a timer");
}

AwaitedConnection AwaitedHeaders::begin(Connection connection) const {
  const Time until = std::min(Clock::now() + timeout_, connection.deadline());
  return {.connection = std::move(connection), .until = until};
}

void AwaitedHeaders::report_to(int epoll, std::uint64_t data) const {
  watch(epoll, epoll_.get(), {.u64 = data}, "watch for PROXY headers");
}

void AwaitedHeaders::add(AwaitedConnection awaited) {
  all_.push_back(std::move(awaited));
  AwaitedConnection& added = all_.back();
  try {
    watch(epoll_.get(), added.connection.descriptor(), {.ptr = &added}, "watch for a PROXY header");
  } catch (const SystemError&) {
    all_.pop_back();
    throw;
  }
  wake_at(all_.front().until);
}

AwaitedConnection AwaitedHeaders::remove(Place place) {
  // The model's loop will watch it.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, place->connection.descriptor(), nullptr);
  AwaitedConnection removed = std::move(*place);
  all_.erase(place);
  wake_at(all_.empty() ? never : all_.front().until);
  return removed;
}

std::optional<AwaitedConnection> AwaitedHeaders::take(Time now) {
  epoll_event event{};
  while (::epoll_wait(epoll_.get(), &event, 1, 0) == 1) {
    auto* const ready = static_cast<AwaitedConnection*>(event.data.ptr);
    if (ready == nullptr) {
      std::uint64_t ticks = 0;
      [[maybe_unused]] const auto size = ::read(timer_.get(), &ticks, sizeof ticks);
      wakes_at_ = never;
      if (!all_.empty()) wake_at(all_.front().until);
      if (!all_.empty() && all_.front().until <= now) return remove(all_.begin());
      continue;
    }
    ready->state = ready->reader.read(ready->connection.descriptor());
    if (ready->state == HeaderReader::State::more) continue;
    return remove(std::find_if(all_.begin(), all_.end(), [&](auto& one) { return &one == ready; }));
  }
  return {};
}

// When nothing is awaited, the timer is stopped: a child that leaves would not read it any more.
void AwaitedHeaders::wake_at(Time time) {
  if (time == wakes_at_) return;
  wakes_at_ = time;
  const std::chrono::nanoseconds since_epoch(time == never ? 0
                                                           : std::max<std::int64_t>(to_nanoseconds(time), 1));
  const itimerspec at{.it_interval = {}, .it_value = to_timespec(since_epoch)};
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);  // can't fail with a valid time
}

}  // namespace brood
