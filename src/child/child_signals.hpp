// SPDX-License-Identifier: MIT
// The signals of a child, and what their handlers work on: one child a process. What they are for is told in
// child_process.hpp.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

#include "base/limits.hpp"
#include "listen/child_listener.hpp"
#include "scoreboard/child_slot.hpp"

namespace brood::child_signals {

inline constexpr int retire = 15;  // SIGTERM; without an order in the slot it means nothing
inline constexpr int nudge = 10;   // SIGUSR1

// The references outlive the process's signals. All signals are blocked until this is done, and unblocked by
// it.
void set_up(const ChildSlot& orders, const std::vector<ChildListener>& listeners, pid_t parent, int dead);

bool of_child();  // whether this process is a child
// From the process itself, any thread: as if the parent had told it to leave.
void leave();
// Without its parent nobody else ends a child that was detached: the kernel does, this long from now
// (SIGALRM).
void limit_as_orphan(std::chrono::milliseconds time);

bool retired();
bool take_nudge();  // whether one came since the last call
// The retire handler puts the dead descriptor over this one; -1: over none.
void wait_on(int descriptor);
// Eventfds that the handlers write to. From the first on, listeners are left alone.
void tell(int leave, int look);
// The calling thread is to be interrupted too. Beyond most_threads it isn't.
void add_thread();
void forget_threads();  // when all but the first have ended

}  // namespace brood::child_signals
