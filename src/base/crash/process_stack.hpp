// SPDX-License-Identifier: MIT
// The stacks of a process that lives, by ptrace(2): each thread is stopped for some milliseconds and goes on
// with its system call. Takes a while: in a process of its own, which has no other children.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace brood {

struct ThreadStack {
  pid_t thread = 0;
  std::vector<std::string> frames{};  // for people, the innermost first: "#0 f() at a.cpp:1 (server+0x12)"
};

// Throws Error: libdw is not installed, or the process may not be looked at, or is gone. `attached` is called
// when no privilege is needed any more, before a file is read that the process has named.
std::vector<ThreadStack> stacks_of_process(pid_t pid, const std::function<void()>& attached = {});

}  // namespace brood
