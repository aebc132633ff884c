// SPDX-License-Identifier: MIT
// A mutex between processes that survives the death of its holder. It lies in shared memory, has no pointers,
// and begins as zero bytes. Whatever is written over it, nobody waits for ever and nobody ends.
//
// The robust mutex of the C library will not do: it keeps links in the shared memory, and unlocking writes
// where they point. Nor will that of Boost.Interprocess: up to Boost 1.77 it is not robust, and from 1.78 on
// it throws at every use after a holder died.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "scoreboard/lock/robust_list.hpp"

namespace brood {

class RobustMutex {
 public:
  // One hold. Each has a number of its own, so that two looks can tell whether a thread has held the mutex
  // all the time in between.
  struct Holder {
    pid_t thread = 0;  // 0: nobody holds it
    std::uint32_t number = 0;
    bool operator==(const Holder&) const = default;
  };
  Holder holder() const;  // it may change at any time

 private:
  friend class RobustLock;
  static Holder holder_in(std::uint64_t state);
  std::uint32_t* word();

  // One half is the futex word of the kernel's protocol: thread id, FUTEX_WAITERS, FUTEX_OWNER_DIED. The
  // other half is the number of the hold. They change together, so a compare-exchange never mistakes one hold
  // for another.
  std::atomic<std::uint64_t> state_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

enum class Locked : std::uint8_t {
  clean,       // the last holder gave it back
  owner_died,  // the last holder died, or the mutex was taken from it: repair
  no,
};

// Holds the mutex as long as this object exists, in the thread that has made it.
class RobustLock {
 public:
  // Looks at least once, whatever the time is.
  RobustLock(RobustMutex& mutex, Time deadline);
  // Takes the mutex away in the hold that was seen. If that has ended since, it takes nothing.
  RobustLock(RobustMutex& mutex, RobustMutex::Holder from);
  RobustLock(RobustLock&& other) noexcept
      : mutex_(other.mutex_),
        pending_(std::move(other.pending_)),
        mine_(other.mine_),
        result_(std::exchange(other.result_, Locked::no)) {}
  RobustLock& operator=(RobustLock&&) = delete;
  ~RobustLock();

  Locked result() const { return result_; }

 private:
  bool take(std::uint64_t& seen);
  void wait(std::uint64_t& seen, Time deadline);
  void wake_one(std::uint64_t free);

  RobustMutex& mutex_;
  std::optional<PendingWord> pending_;
  std::uint64_t mine_ = 0;  // the state of the mutex in this hold
  Locked result_ = Locked::no;
};

}  // namespace brood
