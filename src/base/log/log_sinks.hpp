// SPDX-License-Identifier: MIT
// Where the lines of the log go: standard error, a file, or syslog. None of them waits for whoever reads the
// log. A line that is not taken is lost and counted, and the next line that is taken comes after a line that
// says how many were lost.
#pragma once

#include <spdlog/sinks/base_sink.h>
#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>

#include "base/log/line_output.hpp"
#include "base/log/lost_lines.hpp"
#include "base/log/syslog_socket.hpp"
#include "brood/descriptor.hpp"

namespace brood {

class LogSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LogSink(LostLines& lost) : lost_(lost) {}

 protected:
  using Message = spdlog::details::log_msg;
  // How many bytes were taken.
  virtual std::size_t write(const Message& message, std::string_view line) = 0;

  void sink_it_(const Message& message) final;
  void flush_() final {}

 private:
  bool format_and_write(const Message& message);
  bool report_lost(const Message& before);

  LostLines& lost_;
};

class StandardErrorSink final : public LogSink {
 public:
  explicit StandardErrorSink(LostLines& lost);

 private:
  std::size_t write(const Message& message, std::string_view line) override;
  std::optional<LineOutput> output_;
};

// A file, or another path. Each line is one write(2) with O_APPEND, so that the lines of several processes do
// not mix.
class FileSink final : public LogSink {
 public:
  // `opened`: the descriptor, if it is open already; it is taken over. Throws SystemError.
  FileSink(LostLines& lost, std::string path, uid_t owner, int opened);

  void reopen();  // throws SystemError; then the old file stays open
  int descriptor() const { return descriptor_.get(); }

 private:
  std::size_t write(const Message& message, std::string_view line) override;
  void open();

  std::string path_;
  uid_t owner_;
  Descriptor descriptor_;
  std::optional<LineOutput> output_;
};

class SyslogSink final : public LogSink {
 public:
  SyslogSink(LostLines& lost, std::string name);

 private:
  std::size_t write(const Message& message, std::string_view line) override;
  std::string name_;
  SyslogSocket socket_;
};

}  // namespace brood
