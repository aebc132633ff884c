// SPDX-License-Identifier: MIT
// Where the log goes: standard error or output, a file or syslog. The parent has one log, and one for each
// service that has its own. A child has that of its service, which it inherits.
//
// A log that takes no lines holds up nobody: base/log/log_sinks.hpp. After a rotation the parent reopens the
// files and increments the log epoch, a word on the scoreboard. A child that sees another epoch when it logs
// takes the file that the parent has opened (base/log/log_channel.hpp). Children get no signal for this.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log/log_settings.hpp"
#include "brood/log.hpp"

namespace brood {

struct LogTarget {
  std::string name;           // of the server, in every line
  std::string to = "stderr";  // as LogSettings has it
  LogLevel level = LogLevel::info;
  uid_t owner = static_cast<uid_t>(-1);  // a file gets this owner, so that children can reopen it
  int descriptor = -1;                   // of the file, if it is open already; the log takes it over
  LogFormat format = LogFormat::text;
  std::string facility = "daemon", identity;
  int channel_descriptor = -1;  // of the LogChannel, if it is open already; it is taken over

  static LogTarget of(const LogSettings& settings, std::string server, uid_t owner);
  // Lines of the two would come to the same place, and look alike.
  bool is_same_as(const LogTarget& other) const;
};

void open_log(const LogTarget& target);  // throws SystemError if the file cannot be opened
void set_log_level(LogLevel level);
LogLevel level_of(const std::string& name);  // "debug", "info", "warning", "error"
void try_log(const LogTarget& target);       // throws as open_log() would; changes nothing
void reopen_log();                           // throws; then the old file stays open

// For a new program that takes over: the log in use (the descriptors stay open here), the service that its
// lines are about, and the epoch that was seen.
LogTarget log_in_use();
bool logs_to_standard_error();
std::uint32_t seen_log_epoch();
void follow_log_epoch(const std::atomic<std::uint32_t>& epoch, std::uint32_t seen);
void stop_following_log_epoch();
// In a child: whose lines these are.
void set_log_service(const std::string& service);

// ---- in the parent

class OpenLog;
class LogChannel;

LogChannel* channel_of_log();  // nullptr: the log is no file

class ServiceLog {
 public:
  explicit ServiceLog(std::string service) : service_(std::move(service)) {}

  // Opens it, unless it is the log of the server. Throws SystemError, and then it is as before.
  void open(const LogTarget& target);
  void reopen();                // throws SystemError; then the old file stays open
  LogChannel* channel() const;  // nullptr: the log is no file, or that of the server
  // In a child of the service: this is the log of the process from here on, and the others are closed.
  void become_log_of_process();
  void forget();  // in a child of another one

 private:
  friend class LogScope;
  friend void log(LogLevel level, std::string_view message);

  std::string service_;
  std::shared_ptr<OpenLog> own_;  // nullptr: that of the server
};

// What is logged while it exists is about this service: it goes to the server's log and to the service's own.
class LogScope {
 public:
  explicit LogScope(const ServiceLog& log);  // which outlives it
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  const ServiceLog* const outer_;
};

}  // namespace brood
