// SPDX-License-Identifier: MIT
#include "scoreboard/robust_mutex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <limits>

#include "brood/error.hpp"

namespace brood {
namespace {

void check(int error_number, const char* what) {
  if (error_number != 0) throw SystemError(what, error_number, ExitCode::software);
}

timespec to_timespec(Time deadline) {
  if (deadline == never) return {std::numeric_limits<std::time_t>::max(), 0};
  const std::int64_t nanoseconds = to_nanoseconds(deadline);
  return {static_cast<std::time_t>(nanoseconds / 1'000'000'000),
          static_cast<long>(nanoseconds % 1'000'000'000)};
}

}  // namespace

RobustMutex::RobustMutex() : mutex_{} {
  pthread_mutexattr_t attributes;
  check(::pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);  // an error instead of a hang
  const int error_number = ::pthread_mutex_init(&mutex_, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  check(error_number, "pthread_mutex_init");
}

Locked RobustMutex::lock_until(Time deadline) {
  int error_number = ::pthread_mutex_trylock(&mutex_);
  if (error_number == EBUSY) {
    const timespec until = to_timespec(deadline);
    error_number = ::pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &until);
  }
  if (error_number == EOWNERDEAD) return Locked::owner_died;
  if (error_number == ETIMEDOUT) return Locked::timed_out;
  check(error_number, "lock the scoreboard");
  return Locked::clean;
}

void RobustMutex::mark_consistent() {
  check(::pthread_mutex_consistent(&mutex_), "pthread_mutex_consistent");
}

void RobustMutex::unlock() { check(::pthread_mutex_unlock(&mutex_), "unlock the scoreboard"); }

// The word of the kernel's protocol: thread id, FUTEX_WAITERS and FUTEX_OWNER_DIED. The C library's robust
// mutex has it here.
std::uint32_t* RobustMutex::word() const {
  static_assert(sizeof(mutex_.__data.__lock) == sizeof(std::uint32_t));
  return reinterpret_cast<std::uint32_t*>(&mutex_.__data.__lock);
}

Locked RobustMutex::lock_word_until(Time deadline) {
  const auto self = static_cast<std::uint32_t>(::gettid());
  const timespec until = to_timespec(deadline);
  std::uint32_t waiters = 0;  // once this thread has waited, others may still wait
  for (bool first = true;; first = false) {
    // Checked here, too: the word may change all the time.
    if (!first && Clock::now() >= deadline) return Locked::timed_out;
    std::uint32_t seen = __atomic_load_n(word(), __ATOMIC_RELAXED);
    const bool died = (seen & FUTEX_OWNER_DIED) != 0;
    if (died || (seen & FUTEX_TID_MASK) == 0) {
      const std::uint32_t mine = self | (seen & FUTEX_WAITERS) | waiters;
      if (__atomic_compare_exchange_n(word(), &seen, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return died ? Locked::owner_died : Locked::clean;
      continue;
    }
    const std::uint32_t held = seen | FUTEX_WAITERS;
    if (seen != held &&
        !__atomic_compare_exchange_n(word(), &seen, held, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      continue;
    waiters = FUTEX_WAITERS;
    // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC; FUTEX_WAIT does not.
    if (::syscall(SYS_futex, word(), FUTEX_WAIT_BITSET, held, &until, nullptr, FUTEX_BITSET_MATCH_ANY) != 0 &&
        errno == ETIMEDOUT)
      return Locked::timed_out;
  }
}

void RobustMutex::unlock_word() {
  if ((__atomic_exchange_n(word(), 0U, __ATOMIC_RELEASE) & FUTEX_WAITERS) != 0)
    ::syscall(SYS_futex, word(), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

pid_t RobustMutex::holder() const {
  return static_cast<pid_t>(__atomic_load_n(word(), __ATOMIC_RELAXED) & FUTEX_TID_MASK);
}

}  // namespace brood
