// SPDX-License-Identifier: MIT
// Where the log goes: standard error, a file or syslog. The parent opens it, and children inherit it.
//
// A log that takes no lines holds up nobody: base/log/log_sinks.hpp. After a rotation the parent reopens the
// file and increments the log epoch, a word on the scoreboard. A child that sees another epoch when it logs
// reopens its own descriptor first. Children get no signal for this.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "brood/log.hpp"

namespace brood {

struct LogTarget {
  std::string name;           // of the server: the ident for syslog, and in every line
  std::string to = "stderr";  // "stderr", "syslog" or the path of a file
  LogLevel level = LogLevel::info;
  uid_t owner = static_cast<uid_t>(-1);  // a file gets this owner, so that children can reopen it
  int descriptor = -1;                   // of the file, if it is open already; the log takes it over
};

void open_log(const LogTarget& target);  // throws SystemError if the file cannot be opened
void set_log_level(LogLevel level);
LogLevel level_of(const std::string& name);  // "debug", "info", "warning", "error"
void try_log(const LogTarget& target);       // throws as open_log() would; changes nothing
void reopen_log();                           // throws; then the old file stays open

// For a new program that takes over: the log in use (the descriptor stays open here), and the epoch that was
// seen.
LogTarget log_in_use();
std::uint32_t seen_log_epoch();
void follow_log_epoch(const std::atomic<std::uint32_t>& epoch, std::uint32_t seen);
void stop_following_log_epoch();

}  // namespace brood
