// SPDX-License-Identifier: MIT
// A mutex between processes that survives the death of its owner. It is in shared memory. The parent
// constructs it, and it is never destroyed: a process that dies may hold it.
//
// Boost.Interprocess's interprocess_mutex will not do: that of Boost 1.74 is not robust (if its owner is
// killed, it stays locked), and from 1.78 on it throws at every use after an owner died.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <cstdint>

#include "base/clock.hpp"

namespace brood {

enum class Locked {
  clean,       // the last owner unlocked it
  owner_died,  // the last owner died while it held it: repair, then mark_consistent(), before unlock()
  timed_out,   // not locked
};

// There are two ways to lock it, which work together. Children use the C library. It keeps the locks of a
// thread in a list whose links are inside the mutex, in memory that every child can write; unlocking follows
// the links and writes there. The parent must not do that: it may be root, and a client may have taken over a
// child. So the parent changes only the futex word, by the kernel's protocol
// (Documentation/locking/robust-futex-ABI), and follows no pointer. The kernel then does not wake the others
// if the parent dies while it holds the lock, but children leave anyway when their parent is gone.
class RobustMutex {
 public:
  RobustMutex();
  RobustMutex(const RobustMutex&) = delete;
  RobustMutex& operator=(const RobustMutex&) = delete;

  // ---- In children; they throw SystemError if the mutex is broken
  Locked lock_until(Time deadline);
  void mark_consistent();
  void unlock();

  // ---- In the parent
  Locked lock_word_until(Time deadline);
  // Also makes it consistent, and takes it from an owner that is gone.
  void unlock_word();

  // The thread that holds the mutex; 0: none. It may change at any time.
  pid_t holder() const;

 private:
  std::uint32_t* word() const;

  mutable pthread_mutex_t mutex_;
};

}  // namespace brood
