// SPDX-License-Identifier: MIT
#include "robust_mutex.hpp"

#include <linux/futex.h>

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
  ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);  // misuse becomes an error, not a hang
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

pid_t RobustMutex::holder() const {
  static_assert(sizeof(mutex_.__data.__lock) == sizeof(std::uint32_t));
  const auto word = __atomic_load_n(&mutex_.__data.__lock, __ATOMIC_RELAXED);
  return static_cast<pid_t>(static_cast<std::uint32_t>(word) & FUTEX_TID_MASK);
}

}  // namespace brood
