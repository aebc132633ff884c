// SPDX-License-Identifier: MIT
// The only fork() in the kit that makes children.
#pragma once

#include <sys/types.h>

#include <functional>

namespace brood {

// Runs `body` in a new process, which exits with the code that `body` returns, without destructors and exit
// handlers. All signals are blocked in the parent, and so in the new process: glibc might run a handler
// before the robust list of the child is set up (bug 32215), and a signal that comes before the child has its
// handlers would be lost. It is fork() and not clone3(), because the child needs a robust list of its own.
// Returns the pid, or -1 with errno.
pid_t spawn(const std::function<int()>& body);

}  // namespace brood
