// SPDX-License-Identifier: MIT
// One log that is open: a sink, a format and a level.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string>

#include "base/log/log_sinks.hpp"
#include "base/log/log_target.hpp"
#include "base/log/lost_lines.hpp"

namespace brood {

class OpenLog {
 public:
  // `before`: the log that this one replaces, or nullptr. Lines that it has lost are reported here, and its
  // children follow this one if the path is the same. `service`:
  // the name for lines in JSON, as it is when they are written; it outlives this. Throws SystemError.
  OpenLog(const LogTarget& target, OpenLog* before, const std::string& service);

  void write(LogLevel level, std::string_view message);
  void set_level(LogLevel level);
  void reopen();          // throws SystemError
  void follow();          // in a child: the parent has opened it again; a failure is logged here
  void only_receive();    // in a child
  LogChannel* channel();  // nullptr: it is no file
  bool is_file() const { return file_ != nullptr; }
  const LogTarget& target() const { return target_; }
  LogTarget in_use() const;

 private:
  LogTarget target_;
  std::shared_ptr<LostLines> lost_;
  std::shared_ptr<FileSink> file_;  // if the target is a file
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace brood
