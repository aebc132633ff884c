// SPDX-License-Identifier: MIT
// fork(), the only one in the kit that makes children.
#pragma once

#include <sys/types.h>

#include <functional>

namespace brood {

// Runs `life` in a new process, which ends with the code that it returns: never returns there, runs no
// destructor and no exit handler of the parent's. The new process begins with all signals blocked, as they
// are in the parent: glibc may run a handler before the child's robust list is set up (bug 32215), and a
// signal that came before the child's own handlers would be lost. fork() and not clone3(): the child needs a
// robust list of its own. Returns the pid, or -1 with errno.
pid_t spawn(const std::function<int()>& body);

}  // namespace brood
