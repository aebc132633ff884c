// SPDX-License-Identifier: MIT
// What the kernel says of processes, to hold against what the scoreboard says.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "eventually.hpp"

namespace brood::test {

char process_state(pid_t pid);                 // 'S', 'T', 'Z' …; '\0': there is none
bool is_alive(pid_t pid);                      // there, and no zombie
pid_t parent_of(pid_t pid);                    // 0: there is none
std::vector<pid_t> children_of(pid_t parent);  // in ascending order; no zombies
// Waits until the process sleeps, and has not woken for so long.
bool rests(pid_t pid, std::chrono::milliseconds time);
std::string read_file(const std::string& path);  // "" where it can't be read
void write_file(const std::string& path, const std::string& content);
// A line of /proc/PID/status, without its key: "Uid" -> "0\t0\t0\t0".
std::string status_of(pid_t pid, const std::string& key);
// "SigIgn", "SigBlk": whether the set of that name is empty, in such lines. Two signals are the C library's
// own (32 and 33): it lets nobody change what a process was started with.
bool is_empty_set(const std::string& status, const std::string& key);

// What `read` finds while the process sleeps: it has not run in between.
template <typename Read>
auto at_rest(pid_t pid, const Read& read) {
  const auto switches = [pid] { return status_of(pid, "voluntary_ctxt_switches"); };
  decltype(read()) found{};
  eventually([&] {
    const std::string before = switches();
    if (process_state(pid) != 'S') return false;
    found = read();
    return process_state(pid) == 'S' && switches() == before;
  });
  return found;
}

}  // namespace brood::test
