// SPDX-License-Identifier: MIT
#include "scoreboard/lock/robust_list.hpp"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

namespace brood {
namespace {

struct ThisThread {
  pid_t id = 0;  // 0: not known yet
  robust_list_head* head = nullptr;
  robust_list_head own{};  // for a thread for which the C library has registered none
};
thread_local constinit ThisThread this_thread;

// In a copy made by fork(): it has another id, and holds nothing that its parent holds.
void forget_this_thread() {
  if (this_thread.head != nullptr) this_thread.head->list_op_pending = nullptr;
  this_thread.id = 0;
}

const ThisThread& known_thread() {
  if (this_thread.id != 0) return this_thread;
  static const int registered = ::pthread_atfork(nullptr, nullptr, forget_this_thread);
  static_cast<void>(registered);
  std::size_t size = 0;
  this_thread.head = nullptr;
  if (::syscall(SYS_get_robust_list, 0, &this_thread.head, &size) != 0 || this_thread.head == nullptr) {
    // If the kernel refuses this one too, the parent takes the lock from a holder that is gone.
    this_thread.own.list.next = &this_thread.own.list;
    this_thread.head = &this_thread.own;
    ::syscall(SYS_set_robust_list, this_thread.head, sizeof this_thread.own);
  }
  this_thread.id = ::gettid();  // last: a signal handler may come in between
  return this_thread;
}

// The kernel reads it on behalf of this thread: the order in which the thread writes is all that counts.
void show(robust_list_head& head, robust_list* word) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  *const_cast<robust_list* volatile*>(&head.list_op_pending) = word;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace

pid_t this_thread_id() { return known_thread().id; }

PendingWord::PendingWord(const std::uint32_t* word) {
  robust_list_head& head = *known_thread().head;
  // The kernel adds the offset again.
  // NOLINTBEGIN(performance-no-int-to-ptr): it is a number for the kernel
  auto* const entry =
      reinterpret_cast<robust_list*>(reinterpret_cast<std::intptr_t>(word) - head.futex_offset);
  // NOLINTEND(performance-no-int-to-ptr)
  previous_ = head.list_op_pending;
  again_ = previous_ == entry;
  show(head, entry);
}

PendingWord::~PendingWord() {
  if (shown_) show(*known_thread().head, previous_);
}

}  // namespace brood
