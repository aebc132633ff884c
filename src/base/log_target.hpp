// SPDX-License-Identifier: MIT
// Where the log goes: standard error, a file or syslog. Opened by the parent, inherited by children.
//
// A file is opened O_APPEND and written one write(2) a line, so that lines of many processes don't mix. After
// a rotation the parent reopens it and moves the log epoch (a word on the scoreboard); a child that logs and
// sees another epoch reopens its own descriptor first. No signal goes to children for it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "brood/log.hpp"

namespace brood {

struct LogTarget {
  std::string name;           // of the server: syslog's ident, and a column of every line
  std::string to = "stderr";  // "stderr", "syslog" or the path of a file
  LogLevel level = LogLevel::info;
  uid_t owner = static_cast<uid_t>(-1);  // a file is given to this user, so that children can reopen it
  int descriptor = -1;                   // of that file, where it is open already: taken over
};

void open_log(const LogTarget& target);  // throws SystemError when the file can't be opened
void set_log_level(LogLevel level);
LogLevel level_of(const std::string& name);  // "debug", "info", "warning", "error"
void try_log(const LogTarget& target);       // throws what open_log() would, and changes nothing
void reopen_log();                           // the same; the old file stays open where the new one can't be
void follow_log_epoch(const std::atomic<std::uint32_t>* epoch);  // nullptr: stop following

// For a program that goes on with this log: what is open (the descriptor stays ours), and since which epoch.
LogTarget log_in_use();
std::uint32_t seen_log_epoch();
void follow_log_epoch(const std::atomic<std::uint32_t>& epoch, std::uint32_t seen);

}  // namespace brood
