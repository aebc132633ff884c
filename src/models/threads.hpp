// SPDX-License-Identifier: MIT
// The threads of a child. Orders reach the first one, which passes them on: the others have all signals
// blocked but the one that interrupts their waits.
#pragma once

#include <functional>

namespace brood {

// Runs `loop` in so many threads, the calling one among them, until it has returned in all. An exception
// that leaves it in one is thrown again after the others have ended. Throws SystemError (exit code 71) where
// not all threads can be had, and then runs it in none.
void run_threads(unsigned number, const std::function<void()>& loop);

}  // namespace brood
