// SPDX-License-Identifier: MIT
// What the kernel does for a lock whose holder dies.
//
// Each thread has the head of a robust list. It lies in private memory, the C library registers it, and the
// kernel reads it when the thread ends, however it ends, or executes another program. The list itself is the
// C library's. Beside it the head has room for one more address, list_op_pending. If the futex word there has
// the id of the thread, the kernel sets FUTEX_OWNER_DIED in it; if that was so, or the word has no id, it
// wakes one waiter (Documentation/locking/robust-futex-ABI; handle_futex_death() in kernel/futex/core.c).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <utility>

struct robust_list;

namespace brood {

// The calling thread's, without a system call. A copy of the process made by fork() has its own; one that was
// made by a bare clone() has not, and must not take locks.
pid_t this_thread_id();

// Shows a futex word to the kernel as long as this exists. Made and destroyed by one thread, the last one
// first. Of several the kernel sees only the last.
class PendingWord {
 public:
  explicit PendingWord(const std::uint32_t* word);
  PendingWord(PendingWord&& other) noexcept
      : previous_(other.previous_), again_(other.again_), shown_(std::exchange(other.shown_, false)) {}
  PendingWord& operator=(PendingWord&&) = delete;
  ~PendingWord();

  // The kernel was shown this word already: this is a signal handler that has interrupted whoever did that.
  bool again() const { return again_; }

 private:
  robust_list* previous_ = nullptr;
  bool again_ = false;
  bool shown_ = true;
};

}  // namespace brood
