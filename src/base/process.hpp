// SPDX-License-Identifier: MIT
// What the kernel knows about a process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood {

struct ProcessStat {
  pid_t parent = 0;
  std::uint64_t ticks = 0;       // of processor time, in user and in system mode
  std::uint64_t start_time = 0;  // as start_time_of()
};
// /proc/PID/stat (proc(5)). Empty: there is no such process.
std::optional<ProcessStat> stat_of(pid_t pid);

// When the process was started, in clock ticks since boot (/proc/PID/stat, field 22). Pid and start time
// together identify a process. Empty: there is no such process.
std::optional<std::uint64_t> start_time_of(pid_t pid);

// Where the kernel has put the arguments of this process and, behind them, its environment. Empty: that can't
// be seen.
struct StartMemory {
  char* begin = nullptr;
  std::size_t size = 0;
};
std::optional<StartMemory> start_memory_of_this_process();

// 'Z' if the process has ended but was not reaped yet; '\0' if there is no such process.
char state_of(pid_t pid);

// The process that a thread belongs to; 0 if there is no such thread.
pid_t process_of(pid_t thread);

// The bytes that are resident and anonymous, of /proc/PID/statm; empty: that can't be seen. It does not wait
// for the process, unlike smaps_rollup. `pages`: what the file says, in pages.
std::optional<std::uint64_t> anonymous_memory(std::string_view pages, std::uint64_t page_size);
std::optional<std::uint64_t> anonymous_memory_of(pid_t pid);

unsigned count_threads();  // of this process; 0: that can't be seen

// What a process that has ended had used.
struct ProcessUsage {
  std::uint64_t memory = 0;  // the most that was resident at once, bytes
  std::chrono::microseconds processor{0};
};
// waitid(P_PID, ...), which also says what the process has used.
int wait_for(pid_t pid, int options, siginfo_t& info, ProcessUsage& usage);

// From the result of waitid(): "exited with code 1", "was killed by signal 9 (Killed)".
std::string how_it_ended(int code, int status);

}  // namespace brood
