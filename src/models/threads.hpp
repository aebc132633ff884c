// SPDX-License-Identifier: MIT
// Runs a loop in the threads of a child. Signals reach the first thread; the others block all but the one
// that interrupts their waits.
#pragma once

#include <functional>

namespace brood {

// Runs `loop` in this many threads, one of them the calling one, until it has returned in all. If an
// exception leaves it, the first one is thrown again after all threads have ended. Throws SystemError (exit
// code 71) if not all threads can be started; `loop` has run in none then.
void run_threads(unsigned number, const std::function<void()>& loop);

}  // namespace brood
