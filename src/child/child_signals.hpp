// SPDX-License-Identifier: MIT
// The signals of a child, and the process-wide state that their handlers work on. listener_wait.hpp describes
// what they are for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <span>
#include <vector>

#include "base/service/limits.hpp"
#include "listen/child_listener.hpp"
#include "scoreboard/child_slot.hpp"

namespace brood::child_signals {

inline constexpr int retire = 15;      // SIGTERM; without an order in the slot it means nothing
inline constexpr int orphaned = 18;    // SIGCONT: a child that is stopped learns of its parent's end, too
inline constexpr int look_again = 10;  // SIGUSR1: look at the listeners again

// The references must stay valid until the process ends. All signals are blocked until this is done, and
// unblocked by it. With several threads, threads can be added. `dead`: a descriptor on which every wait
// fails.
void set_up(const ChildSlot& orders, const std::vector<ChildListener>& listeners, unsigned number_of_threads,
            pid_t parent, int dead);

bool of_child();  // whether this process is a child
// As if the parent had told this child to leave. Any thread, and in a signal handler.
void leave();
// Once the parent is gone, SIGALRM ends this child, this long from now at the earliest.
void limit_as_orphan(std::chrono::milliseconds time);

bool retired();    // the child was told to leave
bool take_look();  // whether a request to look again came since the last call
// The handler of `retire` puts the dead descriptor in the place of these. They, and those of earlier calls,
// must stay valid until the process ends.
void wait_on(const std::span<const int>& descriptors);
// Eventfds that the handlers write to; -1: none. With `leave` the handler leaves the listeners alone.
void tell(int leave, int look);
// The calling thread is to be interrupted too. Ignored beyond most_threads.
void add_thread();
void forget_threads();  // when all but the first have ended

// The calling thread reads from this socket, which blocks. If `look_again` comes, the read fails with EAGAIN
// at once or nearly so. User code is not interrupted: the handler restarts system calls, and only changes the
// timeout of the socket, which recv() reads when it is restarted.
void begin_read(int socket);
bool read_was_cut();  // since begin_read()
void end_read();      // restores the timeout of the socket

}  // namespace brood::child_signals
