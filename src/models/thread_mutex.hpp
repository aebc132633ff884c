// SPDX-License-Identifier: MIT
// A mutex for a child that may have one thread only, which then locks nothing. For std::lock_guard.
#pragma once

#include <mutex>

namespace brood {

class ThreadMutex {
 public:
  explicit ThreadMutex(bool threads) : threads_(threads) {}

  void lock() {
    if (threads_) mutex_.lock();
  }
  void unlock() {
    if (threads_) mutex_.unlock();
  }

 private:
  const bool threads_;
  std::mutex mutex_;
};

}  // namespace brood
