// SPDX-License-Identifier: MIT
// A mutex between processes that survives the death of its owner. Lives in shared memory; constructed there
// by the parent, and never destroyed there: a process that dies may hold it.
//
// Not Boost.Interprocess's interprocess_mutex: Boost 1.74's isn't robust (an owner killed leaves it locked
// for ever), and from 1.78 on a dead owner makes it throw for good.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <cstdint>

#include "base/clock.hpp"

namespace brood {

enum class Locked {
  clean,       // what the mutex guards is as its last owner left it on purpose
  owner_died,  // the last owner died inside: repair, then mark_consistent(), before unlock()
  timed_out,   // not locked
};

// Two ways in, which work together. Children use the C library's. It keeps the locks that a thread holds in
// a list whose links stand inside the mutex, that is, in memory that every child can write: whoever unlocks
// follows them and writes there. A child may be taken over by its client, and the parent may be root, so the
// parent must not. It takes and leaves the futex word alone, by the kernel's protocol
// (Documentation/locking/robust-futex-ABI): no pointer is followed. In return the kernel doesn't tell the
// others when the parent dies inside; its children leave anyway when it is gone.
class RobustMutex {
 public:
  RobustMutex();
  RobustMutex(const RobustMutex&) = delete;
  RobustMutex& operator=(const RobustMutex&) = delete;

  // ---- children
  Locked lock_until(Time deadline);
  void mark_consistent();
  void unlock();

  // ---- the parent
  Locked lock_word_until(Time deadline);
  void unlock_word();  // consistent, whatever it was; also takes the lock from an owner that is no more

  // The thread that holds the mutex, 0 for none. True at the moment of reading at best: for the one who waits
  // past a deadline and must know whom to kill.
  pid_t holder() const;

 private:
  std::uint32_t* word() const;

  mutable pthread_mutex_t mutex_;
};

}  // namespace brood
