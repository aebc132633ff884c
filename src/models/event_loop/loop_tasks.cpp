// SPDX-License-Identifier: MIT
#include "models/event_loop/loop_tasks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_signals.hpp"
#include "child/handler_guard.hpp"

namespace brood {
namespace {

// How many are called before the connections have their turn. Half of those that wait, if that is more:
// handlers that post many, as to each member of a chat, would otherwise post faster than they are called.
std::size_t functions_at_once(std::size_t waiting) {
  constexpr std::size_t least = 256;
  return std::min(waiting, std::max(least, waiting / 2));
}

// The key of an event is that of a descriptor, or one of these.
constexpr std::uint64_t posted_key = UINT64_MAX;
constexpr std::uint64_t own_timer_key = UINT64_MAX - 1;

// One event at a time: while its function runs, no thread is woken for the descriptor again.
constexpr std::uint32_t once_readable = EPOLLIN | EPOLLONESHOT;

void guarded(const LoopTasks::Function& function) {
  guard_handler(function, [] { return std::string("function of the event loop"); });
}

}  // namespace

// ---- with the lock

// False: the loop has ended.
bool LoopTasks::open() {
  if (detached_) return false;
  if (own_) return true;
  if (!loop_ && !child_signals::of_child()) throw Error("the event loop of a child was used outside a child");
  own_.emplace();
  own_->epoll.add(own_->posted.get(), EPOLLIN, posted_key);
  own_->epoll.add(own_->timer.descriptor(), EPOLLIN, own_timer_key);
  if (loop_) loop_->epoll.add(own_->epoll.descriptor(), EPOLLIN, loop_->key);
  return true;
}

bool LoopTasks::push(Function function) {
  if (queue_.size() >= EventServer::most_posted) {
    if (!std::exchange(refuses_, true))
      log_warning(text("event loop: ", queue_.size(), " functions wait, and what is posted now is refused"));
    return false;
  }
  queue_.push_back(std::move(function));
  if (queue_.size() == 1) tell_event(own_->posted.get());
  return true;
}

void LoopTasks::collect() {
  std::array<epoll_event, 16> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the kernel
  for (const epoll_event& event : own_->epoll.poll(room)) {
    const std::uint64_t key = event.data.u64;
    if (key == posted_key) {
      clear_event(own_->posted.get());
    } else if (key != own_timer_key) {
      queue_.emplace_back([this, key] { call_watch(key); });
    } else if (own_->timer.went_off()) {
      for (const TimerId timer : timers_.take_due(Clock::now()))
        queue_.emplace_back([this, timer] { call_timer(timer); });
      own_->timer.wake_at(timers_.next_due());
    }
  }
}

// ---- without the lock

bool LoopTasks::post(Function function) {
  const std::lock_guard lock(mutex_);
  return !open() || push(std::move(function));
}

bool LoopTasks::post(std::uint64_t connection, ConnectionTask task) {
  return post(
      [this, connection, task = std::move(task)]() mutable { loop_->deliver(connection, std::move(task)); });
}

TimerId LoopTasks::call_at(Time first, Clock::duration interval, Function function) {
  const std::lock_guard lock(mutex_);
  if (!open()) return 0;
  own_->timer.wake_at(first);
  return timers_.add(first, interval, std::move(function));
}

void LoopTasks::cancel(TimerId timer) {
  const std::lock_guard lock(mutex_);
  timers_.remove(timer);
}

void LoopTasks::watch(int descriptor, Function function) {
  const std::lock_guard lock(mutex_);
  if (!open()) return;
  const std::uint64_t key = std::uint64_t{++last_watch_} << 32U | static_cast<std::uint32_t>(descriptor);
  own_->epoll.add(descriptor, once_readable, key);
  watches_[descriptor] = {.key = key, .function = std::make_shared<const Function>(std::move(function))};
}

void LoopTasks::unwatch(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (watches_.erase(descriptor) > 0) own_->epoll.forget(descriptor);
}

void LoopTasks::call_timer(TimerId timer) {
  std::unique_lock lock(mutex_);
  const auto function = timers_.begin(timer);
  lock.unlock();
  if (!function) return;
  guarded(*function);
  lock.lock();
  timers_.end(timer, Clock::now());
  if (own_) own_->timer.wake_at(timers_.next_due());
}

void LoopTasks::call_watch(std::uint64_t key) {
  const int descriptor = static_cast<int>(key & UINT32_MAX);
  std::shared_ptr<const Function> function;
  const auto is_watched = [&] {
    const auto found = watches_.find(descriptor);
    if (found == watches_.end() || found->second.key != key) return false;
    function = found->second.function;
    return true;
  };
  std::unique_lock lock(mutex_);
  if (!is_watched()) return;
  lock.unlock();
  guarded(*function);
  lock.lock();
  if (!is_watched()) return;
  try {
    own_->epoll.change(descriptor, once_readable, key);
  } catch (const SystemError& error) {
    watches_.erase(descriptor);
    throw SystemError(text("watch descriptor ", descriptor), error.error_number());
  }
}

void LoopTasks::attach(const EpollSet& epoll, std::uint64_t key, Deliver deliver) {
  const std::lock_guard lock(mutex_);
  detached_ = false;
  loop_.emplace(Loop{.epoll = epoll, .key = key, .deliver = std::move(deliver)});
  if (own_) epoll.add(own_->epoll.descriptor(), EPOLLIN, key);
}

void LoopTasks::detach() {
  std::unique_lock lock(mutex_);
  detached_ = true;
  loop_.reset();
  own_.reset();
  // What they own is destroyed without the lock: it may call this.
  const auto dropped =
      std::tuple(std::exchange(queue_, {}), std::exchange(timers_, {}), std::exchange(watches_, {}));
  lock.unlock();
}

void LoopTasks::run() {
  std::unique_lock lock(mutex_);
  if (!own_) return;
  collect();
  if (running_) return;
  running_ = true;
  for (std::size_t left = functions_at_once(queue_.size()); left > 0; --left) {
    Function function = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    guarded(function);
    function = nullptr;
    lock.lock();
  }
  running_ = false;
  if (queue_.empty())
    refuses_ = false;
  else
    tell_event(own_->posted.get());
}

}  // namespace brood
