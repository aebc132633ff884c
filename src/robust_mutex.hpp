// SPDX-License-Identifier: MIT
// A mutex between processes that survives the death of its owner. Lives in shared memory; constructed there
// by the parent, and never destroyed there: a process that dies may hold it.
//
// Not Boost.Interprocess's interprocess_mutex: Boost 1.74's isn't robust (an owner killed leaves it locked
// for ever), and from 1.78 on a dead owner makes it throw for good.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "clock.hpp"

namespace brood {

enum class Locked {
  clean,       // what the mutex guards is as its last owner left it on purpose
  owner_died,  // the last owner died inside: repair, then mark_consistent(), before unlock()
  timed_out,   // not locked
};

class RobustMutex {
 public:
  RobustMutex();
  RobustMutex(const RobustMutex&) = delete;
  RobustMutex& operator=(const RobustMutex&) = delete;

  Locked lock_until(Time deadline);
  void mark_consistent();
  void unlock();

  // The thread that holds the mutex, 0 for none. True at the moment of reading at best: for the one who waits
  // past a deadline and must know whom to kill. Read from the futex word, which the kernel's robust futex
  // protocol defines to hold the owner's thread id (Documentation/locking/robust-futex-ABI): there is then no
  // moment in which the mutex is held by somebody unknown.
  pid_t holder() const;

 private:
  pthread_mutex_t mutex_;
};

}  // namespace brood
