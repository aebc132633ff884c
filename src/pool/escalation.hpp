// SPDX-License-Identifier: MIT
// How the parent ends a child that takes too long, step by step or at once. The caller knows why and when.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "pool/child_table.hpp"

namespace brood {

inline constexpr std::chrono::seconds escalation_interval{5};  // between SIGABRT, SIGKILL and "lost"

// False: it was not sent, which is logged.
bool send_signal(pid_t child, int signal);
// To its process group, if it leads one.
bool send_to_all(const ChildRecord& child, int signal);
// The next step: SIGABRT, then SIGKILL, then it is lost. `what`: " while serving …", or "".
void escalate(ChildRecord& child, const std::string& what, const char* why, Time now);
// SIGKILL at once; the caller has logged why.
void end_now(ChildRecord& child, Time now);

}  // namespace brood
