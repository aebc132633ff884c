// SPDX-License-Identifier: MIT
#include "base/log/log_sinks.hpp"

#include <paths.h>
#include <syslog.h>

#include "base/clock.hpp"
#include "base/log/log_file.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

int syslog_level(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return LOG_DEBUG;
    case spdlog::level::info:
      return LOG_INFO;
    case spdlog::level::warn:
      return LOG_WARNING;
    default:
      return LOG_ERR;
  }
}

}  // namespace

bool LogSink::format_and_write(const Message& message) {
  spdlog::memory_buf_t line;
  if (lost_.torn()) line.push_back('\n');
  formatter_->format(message, line);
  std::string_view left(line.data(), line.size());
  left.remove_prefix(write(message, left));
  if (left.size() == line.size()) return false;
  lost_.set_torn(!left.empty());
  return left.empty() || left == "\n";  // only that is missing, and comes before the next line
}

bool LogSink::report_lost(const Message& before) {
  const LostLines::Count lost = lost_.take();
  if (lost.lines == 0) return true;
  const std::string report =
      text("the log took no lines for ", Clock::now() - from_nanoseconds(lost.since), "; lost: ", lost.lines);
  if (format_and_write({before.logger_name, spdlog::level::warn, report})) return true;
  lost_.give_back(lost);
  return false;
}

void LogSink::sink_it_(const Message& message) {
  const bool taken = (!lost_.any() || report_lost(message)) && format_and_write(message);
  if (!taken) lost_.add(to_nanoseconds(Clock::now()));
}

// ---- standard error

StandardErrorSink::StandardErrorSink(LostLines& lost) : LogSink(lost), output_(STDERR_FILENO) {}

std::size_t StandardErrorSink::write(const Message& /*message*/, std::string_view line) {
  if (output_->outdated()) output_.emplace(STDERR_FILENO);
  return output_->write(line);
}

// ---- a path

FileSink::FileSink(LostLines& lost, std::string path, uid_t owner, int opened)
    : LogSink(lost), path_(std::move(path)), owner_(owner), descriptor_(opened) {
  if (descriptor_)
    output_.emplace(descriptor_.get());
  else
    open();
}

void FileSink::reopen() {
  const std::lock_guard guard(mutex_);
  open();
}

void FileSink::open() {
  descriptor_ = open_log_file(path_, owner_);
  output_.emplace(descriptor_.get());
}

std::size_t FileSink::write(const Message& /*message*/, std::string_view line) {
  return output_->write(line);
}

// ---- syslog

SyslogSink::SyslogSink(LostLines& lost, std::string name)
    : LogSink(lost), name_(std::move(name)), socket_(_PATH_LOG) {}

// The line is the message alone, with a newline.
std::size_t SyslogSink::write(const Message& message, std::string_view line) {
  std::tm local{};
  const std::time_t now = std::time(nullptr);
  ::localtime_r(&now, &local);
  const std::string_view text = line.substr(0, line.find_last_not_of('\n') + 1);
  const bool sent = socket_.send(
      syslog_header(LOG_DAEMON | syslog_level(message.level), local, name_, ::getpid()).append(text));
  return sent ? line.size() : 0;
}

}  // namespace brood
