// SPDX-License-Identifier: MIT
// What ps(1) shows of this process. It is the memory in which the program's arguments came and, behind it,
// the environment: a title is written there with plain stores, without a system call. A process has one; all
// of this is about that one.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace brood {

// "busy", "busy GET /", "busy (3) GET /": of so many open connections, the oldest with this note, which may
// end with NUL. Returns how many bytes were written; what does not fit is left out.
std::size_t write_busy(std::span<char> to, unsigned connections, std::string_view note);

namespace process_title {

// At the start of main(): where the memory is. Changes nothing. `argv` outlives the process.
void find_memory(char** argv);
// From now on the process has a title: "PREFIX: WORD". Moves away what is in that memory: the arguments and
// the environment have other addresses then. No other thread runs.
void begin(std::string_view prefix, std::string_view word);

inline bool shown = false;  // after begin()
// If it is shown; otherwise they do nothing. Not by two threads at once.
void show(std::string_view word);
void show_busy(unsigned connections, std::string_view note);

}  // namespace process_title
}  // namespace brood
