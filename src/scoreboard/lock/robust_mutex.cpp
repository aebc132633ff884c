// SPDX-License-Identifier: MIT
#include "scoreboard/lock/robust_mutex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <ctime>
#include <limits>

namespace brood {
namespace {

constexpr std::uint64_t waiters = FUTEX_WAITERS;
constexpr unsigned number_at = 32;

constexpr std::uint32_t word_of(std::uint64_t state) { return static_cast<std::uint32_t>(state); }
constexpr std::uint32_t number_of(std::uint64_t state) {
  return static_cast<std::uint32_t>(state >> number_at);
}
constexpr std::uint32_t thread_of(std::uint64_t state) { return word_of(state) & FUTEX_TID_MASK; }
constexpr bool has_died(std::uint64_t state) { return (word_of(state) & FUTEX_OWNER_DIED) != 0; }
// A thread whose death is marked holds nothing, whatever id is beside the mark.
constexpr bool is_held(std::uint64_t state) { return !has_died(state) && thread_of(state) != 0; }

timespec absolute(Time deadline) {
  if (deadline == never) return {std::numeric_limits<std::time_t>::max(), 0};
  return to_timespec(deadline.time_since_epoch());
}

}  // namespace

std::uint32_t* RobustMutex::word() {
  static_assert(sizeof state_ == 2 * sizeof(std::uint32_t));
  return reinterpret_cast<std::uint32_t*>(&state_) + (std::endian::native == std::endian::big ? 1 : 0);
}

RobustMutex::Holder RobustMutex::holder_in(std::uint64_t state) {
  return {is_held(state) ? static_cast<pid_t>(thread_of(state)) : 0, number_of(state)};
}

RobustMutex::Holder RobustMutex::holder() const { return holder_in(state_.load(std::memory_order_relaxed)); }

// The word comes before the clock: whoever was not running past its deadline finds the lock free if it is.
RobustLock::RobustLock(RobustMutex& mutex, Time deadline) : mutex_(mutex), pending_(mutex.word()) {
  // The thread that this signal handler has interrupted gives nothing back until it goes on.
  const bool again = pending_->again();
  std::uint64_t seen = mutex_.state_.load(std::memory_order_relaxed);
  for (;;) {
    if (!is_held(seen) && !again && take(seen)) return;
    if (again || Clock::now() >= deadline) break;
    if (is_held(seen)) wait(seen, deadline);
  }
  pending_.reset();
}

RobustLock::RobustLock(RobustMutex& mutex, RobustMutex::Holder from) : mutex_(mutex), pending_(mutex.word()) {
  std::uint64_t seen = mutex_.state_.load(std::memory_order_relaxed);
  while (from.thread != 0 && RobustMutex::holder_in(seen) == from) {
    if (!take(seen)) continue;
    result_ = Locked::owner_died;
    return;
  }
  pending_.reset();
}

// FUTEX_WAITERS stays, because others may wait: if the waiter that was woken is killed before it gets here,
// this thread wakes the next one.
bool RobustLock::take(std::uint64_t& seen) {
  const std::uint64_t number = number_of(seen) + std::uint64_t{1};
  mine_ = number << number_at | (seen & waiters) | static_cast<std::uint32_t>(this_thread_id());
  const bool died = has_died(seen);
  if (!mutex_.state_.compare_exchange_strong(seen, mine_, std::memory_order_acquire,
                                             std::memory_order_relaxed))
    return false;
  result_ = died ? Locked::owner_died : Locked::clean;
  return true;
}

void RobustLock::wait(std::uint64_t& seen, Time deadline) {
  if ((seen & waiters) == 0 &&
      !mutex_.state_.compare_exchange_strong(seen, seen | waiters, std::memory_order_relaxed))
    return;
  const timespec until = absolute(deadline);
  // With an absolute time of CLOCK_MONOTONIC. Why it returns does not matter: the word is looked at again.
  ::syscall(SYS_futex, mutex_.word(), FUTEX_WAIT_BITSET, word_of(seen | waiters), &until, nullptr,
            FUTEX_BITSET_MATCH_ANY);
  seen = mutex_.state_.load(std::memory_order_relaxed);
}

RobustLock::~RobustLock() {
  // In a copy made by fork(), the thread of the original holds it.
  if (result_ == Locked::no || static_cast<std::uint32_t>(this_thread_id()) != thread_of(mine_)) return;
  std::uint64_t seen = mine_;
  std::uint64_t free = 0;
  do {
    if ((seen | waiters) != (mine_ | waiters)) return;  // it was taken away
    free = seen & ~std::uint64_t{FUTEX_TID_MASK};
  } while (
      !mutex_.state_.compare_exchange_weak(seen, free, std::memory_order_release, std::memory_order_relaxed));
  if ((free & waiters) != 0) wake_one(free);
}

// The bit goes when nobody waits any more. It stays while this is uncertain: whoever takes the mutex in
// between wakes the next one.
void RobustLock::wake_one(std::uint64_t free) {
  if (::syscall(SYS_futex, mutex_.word(), FUTEX_WAKE, 1, nullptr, nullptr, 0) == 0)
    mutex_.state_.compare_exchange_strong(free, free & ~waiters, std::memory_order_relaxed);
}

}  // namespace brood
