// SPDX-License-Identifier: MIT
#include "base/log/open_log.hpp"

#include <unistd.h>

#include "base/log/json_formatter.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr const char* line_pattern = "%Y-%m-%d %H:%M:%S.%e %n[%P] %l: %v";

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

OpenLog::OpenLog(const LogTarget& target, OpenLog* before, const std::string& service)
    : target_(target), lost_(before != nullptr ? before->lost_ : std::make_shared<LostLines>()) {
  spdlog::sink_ptr sink;
  if (target.to == "stderr")
    sink = std::make_shared<StandardSink>(*lost_, STDERR_FILENO);
  else if (target.to == "stdout")
    sink = std::make_shared<StandardSink>(*lost_, STDOUT_FILENO);
  else if (target.to == "syslog")
    sink = std::make_shared<SyslogSink>(*lost_, target.identity.empty() ? target.name : target.identity,
                                        target.facility);
  else
    sink = file_ = std::make_shared<FileSink>(*lost_, target);
  target_.descriptor = target_.channel_descriptor = -1;
  logger_ = std::make_shared<spdlog::logger>(target.name, std::move(sink));
  if (target.format == LogFormat::json)
    logger_->set_formatter(std::make_unique<JsonFormatter>(service));
  else
    logger_->set_pattern(target.to == "syslog" ? "%v" : line_pattern);
  logger_->set_level(to_spdlog(target.level));
  logger_->set_error_handler([](const std::string&) {});  // the default one writes to standard error
  if (file_ && before != nullptr && before->file_ && before->target_.to == target.to)
    file_->channel() = std::move(before->file_->channel());
}

// JSON has its own way to write control characters.
void OpenLog::write(LogLevel level, std::string_view message) {
  if (!logger_->should_log(to_spdlog(level))) return;
  if (target_.format == LogFormat::json)
    logger_->log(to_spdlog(level), message);
  else
    logger_->log(to_spdlog(level), std::string_view(escape(message)));
}

// A child sets the level that it has, as a rule: memory that it does not write stays shared with the parent.
void OpenLog::set_level(LogLevel level) {
  if (level == target_.level) return;
  target_.level = level;
  logger_->set_level(to_spdlog(level));
}

void OpenLog::reopen() {
  if (file_) file_->reopen();
}

void OpenLog::follow() {
  try {
    if (file_) file_->follow();
  } catch (const Error& error) {
    write(LogLevel::error, error.what());
  }
}

void OpenLog::only_receive() {
  if (file_) file_->only_receive();
}

LogChannel* OpenLog::channel() { return file_ ? &file_->channel() : nullptr; }

LogTarget OpenLog::in_use() const {
  LogTarget target = target_;
  if (file_) target.descriptor = file_->descriptor();
  if (file_) target.channel_descriptor = file_->channel_descriptor();
  return target;
}

}  // namespace brood
