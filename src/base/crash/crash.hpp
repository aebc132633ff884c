// SPDX-License-Identifier: MIT
// How a child was ended by a signal: what is known of it, as one block in the log and one line in the
// journal.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/crash/stack.hpp"

namespace brood {

// What the child itself has left (scoreboard/evidence.hpp). Its texts are any bytes.
struct CrashEvidence {
  int signal = 0;  // 0: it has left nothing
  int code = 0;    // si_code
  std::uint64_t address = 0;
  pid_t thread = 0;            // that of the child: its main thread
  std::string exception_type;  // mangled; empty: there was none
  std::string message;         // of the exception
  CapturedStack stack;
};

struct Crash {
  std::int64_t time = 0;  // seconds since 1970
  std::string service;
  pid_t pid = 0;
  int signal = 0;
  // Of the oldest open connection:
  std::string peer;  // empty: there was none
  std::string note;
  std::chrono::nanoseconds busy_for{};
  std::uint32_t open_connections = 0;
  std::uint64_t finished = 0;  // connections
  std::uint64_t memory = 0;    // the most that was resident at once, bytes
  std::chrono::microseconds processor{};
  CrashEvidence evidence;
  std::string exception;            // type and message, for people
  std::vector<std::string> frames;  // for people, the innermost first
  std::string top;  // where it happened: the innermost function that is not of the C or C++ library
};

// For people: "#0 crash(int) at server.cpp:12 (server+0x1234)" is written by name_stack(). Without names:
// "#0 /usr/sbin/server+0x1234". Writes `frames` and `top`.
void write_frames_without_names(Crash& crash);

// The lines below the first one, which says the signal and whom the child served.
std::vector<std::string> describe(const Crash& crash);

}  // namespace brood
