// SPDX-License-Identifier: MIT
// The setting access-log: a line for each connection that has ended, appended to a file by the child that had
// it. In a child; any thread.
//
// A forked child opens the file before it changes its user, one that is a program of its own after that.
// After SIGUSR1 it opens it again, by the log epoch, as the log itself. A file that takes no lines holds up
// nobody: they are lost, counted and reported in the log.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/log/line_output.hpp"
#include "base/service/access_log_settings.hpp"
#include "brood/descriptor.hpp"
#include "brood/ended.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

// One line with its end. Pure.
std::string access_line(const Ended& ended, AccessLogFormat format, std::string_view service, pid_t child,
                        std::chrono::system_clock::time_point now);

class AccessLog {
 public:
  // `owner`: the user of the child. If the file can't be opened, that is logged, and connections are served
  // without it.
  AccessLog(AccessLogSettings settings, uid_t owner, const Shared<std::uint32_t>& log_epoch,
            std::string_view service);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void write(const Ended& ended);

 private:
  void open();
  void open_again();
  void report_lost();

  const AccessLogSettings settings_;
  const uid_t owner_;
  const Shared<std::uint32_t>& log_epoch_;
  const std::string service_;
  std::mutex mutex_;
  std::uint32_t seen_epoch_;
  Descriptor file_;
  std::optional<LineOutput> output_;
  std::uint64_t lost_ = 0;
  bool torn_ = false;  // the last line was taken in part
};

}  // namespace brood
