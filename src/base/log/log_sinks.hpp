// SPDX-License-Identifier: MIT
// Where the lines of a log go: standard error or output, a file, or syslog. None of them waits for whoever
// reads the log. A line that is not taken is lost and counted, and the next line that is taken comes after a
// line that says how many were lost.
#pragma once

#include <spdlog/sinks/base_sink.h>
#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>

#include "base/log/line_output.hpp"
#include "base/log/log_channel.hpp"
#include "base/log/log_target.hpp"
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

class StandardSink final : public LogSink {
 public:
  StandardSink(LostLines& lost, int descriptor);  // of standard output or error

 private:
  std::size_t write(const Message& message, std::string_view line) override;
  const int descriptor_;
  std::optional<LineOutput> output_;
};

// A file, or another path. Each line is one write(2) with O_APPEND, so that the lines of several processes do
// not mix.
class FileSink final : public LogSink {
 public:
  // Throws SystemError.
  FileSink(LostLines& lost, const LogTarget& target);

  void reopen();  // throws SystemError; then the old file stays open
  // In a child: the file that the parent has opened again, or that has the path now. The same.
  void follow();
  void only_receive() { channel_.only_receive(); }
  int descriptor() const { return descriptor_.get(); }
  int channel_descriptor() const { return channel_.descriptors().receiver; }
  LogChannel& channel() { return channel_; }

 private:
  std::size_t write(const Message& message, std::string_view line) override;
  void use(Descriptor opened);

  std::string path_;
  uid_t owner_;
  Descriptor descriptor_;
  LogChannel channel_;
  std::optional<LineOutput> output_;
};

class SyslogSink final : public LogSink {
 public:
  SyslogSink(LostLines& lost, std::string identity, std::string_view facility);

 private:
  std::size_t write(const Message& message, std::string_view line) override;
  std::string identity_;
  const int facility_;
  SyslogSocket socket_;
};

}  // namespace brood
