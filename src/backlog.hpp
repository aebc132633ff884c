// SPDX-License-Identifier: MIT
// How many connections wait in a listening socket's queue.
#pragma once

namespace brood {

// TCP: exact, from TCP_INFO. Unix: exact, from the kernel's socket diagnosis; where that can't be had, 1 for
// "some".
unsigned count_backlog(int listener);

}  // namespace brood
