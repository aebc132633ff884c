// SPDX-License-Identifier: MIT
// What the kernel tells of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace brood {

// When the process began, in clock ticks since boot (/proc/PID/stat, field 22): with the pid it names a
// process for good. Empty where there is no such process.
std::optional<std::uint64_t> start_time_of(pid_t pid);

// For a process that has ended but was not reaped yet, the state is 'Z'; '\0' where there is no such process.
char state_of(pid_t pid);

// The process that a thread belongs to; 0 where there is no such thread.
pid_t process_of(pid_t thread);

// As waitid() told: "exited with code 1", "was killed by signal 9 (Killed)".
std::string how_it_ended(int code, int status);

}  // namespace brood
