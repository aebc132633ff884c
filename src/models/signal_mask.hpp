// SPDX-License-Identifier: MIT
// Sets the signal mask of this thread, and restores the former one at the end of the scope.
#pragma once

#include <csignal>

namespace brood {

class SignalMask {
 public:
  explicit SignalMask(const sigset_t& blocked) { ::pthread_sigmask(SIG_SETMASK, &blocked, &before_); }
  ~SignalMask() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalMask(const SignalMask&) = delete;
  SignalMask& operator=(const SignalMask&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace brood
