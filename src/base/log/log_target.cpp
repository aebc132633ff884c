// SPDX-License-Identifier: MIT
#include "base/log/log_target.hpp"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <mutex>

#include "base/log/log_sinks.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

struct Log {
  LostLines lost;
  LogTarget target;
  std::shared_ptr<spdlog::logger> logger;
  std::shared_ptr<FileSink> file;  // if the target is a file
  const std::atomic<std::uint32_t>* epoch = nullptr;
  std::uint32_t seen_epoch = 0;
  std::mutex reopening;
};

Log& current() {
  static Log log;  // NOLINT: one process, one log
  return log;
}

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

void set_logger(spdlog::sink_ptr sink, const LogTarget& target, const char* pattern) {
  auto logger = std::make_shared<spdlog::logger>(target.name, std::move(sink));
  logger->set_pattern(pattern);
  logger->set_level(to_spdlog(target.level));
  logger->set_error_handler([](const std::string&) {});  // the default one writes to standard error
  current().logger = std::move(logger);
}

constexpr const char* line_pattern = "%Y-%m-%d %H:%M:%S.%e %n[%P] %l: %v";

}  // namespace

void open_log(const LogTarget& target) {
  Log& log = current();
  std::shared_ptr<FileSink> file;
  if (target.to == "stderr") {
    set_logger(std::make_shared<StandardErrorSink>(log.lost), target, line_pattern);
  } else if (target.to == "syslog") {
    set_logger(std::make_shared<SyslogSink>(log.lost, target.name), target, "%v");
  } else {
    file = std::make_shared<FileSink>(log.lost, target.to, target.owner, target.descriptor);
    set_logger(file, target, line_pattern);
  }
  log.file = std::move(file);
  log.target = target;
}

void try_log(const LogTarget& target) {
  LostLines none;
  if (target.to != "stderr" && target.to != "syslog") const FileSink tried(none, target.to, target.owner, -1);
}

void set_log_level(LogLevel level) {
  if (current().logger) current().logger->set_level(to_spdlog(level));
  current().target.level = level;
}

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  return name == "error" ? LogLevel::error : LogLevel::info;
}

void reopen_log() {
  if (current().file) current().file->reopen();
}

void follow_log_epoch(const std::atomic<std::uint32_t>& epoch, std::uint32_t seen) {
  current().epoch = &epoch;
  current().seen_epoch = seen;
}

void stop_following_log_epoch() { current().epoch = nullptr; }

LogTarget log_in_use() {
  const Log& log = current();
  LogTarget target = log.target;
  target.descriptor = log.file ? log.file->descriptor() : -1;
  return target;
}

std::uint32_t seen_log_epoch() { return current().seen_epoch; }

void log(LogLevel level, std::string_view message) {
  Log& log = current();
  if (log.logger == nullptr) open_log(LogTarget{.name = program_invocation_short_name});
  if (log.epoch != nullptr && log.file != nullptr) {
    const std::lock_guard guard(log.reopening);
    const auto epoch = log.epoch->load(std::memory_order_relaxed);
    if (epoch != log.seen_epoch) {
      log.seen_epoch = epoch;
      try {
        log.file->reopen();
      } catch (const Error& error) {
        log.logger->error(std::string_view(escape(error.what())));
      }
    }
  }
  log.logger->log(to_spdlog(level), std::string_view(escape(message)));
}

}  // namespace brood
