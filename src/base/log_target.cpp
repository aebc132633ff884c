// SPDX-License-Identifier: MIT
#include "base/log_target.hpp"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>

#include <cerrno>
#include <mutex>

#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

// One write(2) a line.
class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  virtual int descriptor() const = 0;

  void sink_it_(const spdlog::details::log_msg& message) final {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    // A log that cannot be written (the disk is full) must not stop the server.
    [[maybe_unused]] const auto written = ::write(descriptor(), line.data(), line.size());
  }
  void flush_() final {}
};

class StandardErrorSink final : public LineSink {
  int descriptor() const override { return STDERR_FILENO; }
};

class AppendSink final : public LineSink {
 public:
  AppendSink(std::string path, uid_t owner, int opened)
      : path_(std::move(path)), owner_(owner), descriptor_(opened) {
    if (!descriptor_) open();
  }

  void reopen() {
    const std::lock_guard guard(mutex_);
    open();
  }

  int descriptor() const override { return descriptor_.get(); }

 private:
  // Less trusted users may be able to write to the directory. So no link is followed, and the owner is
  // changed only of a file that is ours and has one name. Not blocking: a FIFO without a reader would hold up
  // the parent.
  void open() {
    const int follow = path_.starts_with("/dev/") ? 0 : O_NOFOLLOW;
    Descriptor opened(::open(
        path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | follow, 0640));
    struct stat status {};
    if (!opened || ::fstat(opened.get(), &status) != 0) throw SystemError("open log " + path_, errno);
    const bool ours = S_ISREG(status.st_mode) && status.st_nlink == 1 && status.st_uid == ::geteuid();
    if (owner_ != static_cast<uid_t>(-1) && owner_ != status.st_uid && ours && ::geteuid() == 0 &&
        ::fchown(opened.get(), owner_, static_cast<gid_t>(-1)) != 0)
      throw SystemError("give log " + path_ + " to the service's user", errno);
    ::fcntl(opened.get(), F_SETFL, O_APPEND);  // blocking again: a line must be written whole
    descriptor_ = std::move(opened);
  }

  std::string path_;
  uid_t owner_;
  Descriptor descriptor_;
};

struct Log {
  LogTarget target;
  std::shared_ptr<spdlog::logger> logger;
  std::shared_ptr<AppendSink> file;  // if the target is a file
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
  current().logger = std::move(logger);
}

constexpr const char* line_pattern = "%Y-%m-%d %H:%M:%S.%e %n[%P] %l: %v";

}  // namespace

void open_log(const LogTarget& target) {
  Log& log = current();
  std::shared_ptr<AppendSink> file;
  if (target.to == "stderr") {
    set_logger(std::make_shared<StandardErrorSink>(), target, line_pattern);
  } else if (target.to == "syslog") {
    // syslogd adds time, name and pid.
    set_logger(std::make_shared<spdlog::sinks::syslog_sink_mt>(target.name, LOG_PID, LOG_DAEMON, true),
               target, "%v");
  } else {
    file = std::make_shared<AppendSink>(target.to, target.owner, target.descriptor);
    set_logger(file, target, line_pattern);
  }
  log.file = std::move(file);
  log.target = target;
}

void try_log(const LogTarget& target) {
  if (target.to != "stderr" && target.to != "syslog") const AppendSink tried(target.to, target.owner, -1);
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

void follow_log_epoch(const std::atomic<std::uint32_t>* epoch) {
  Log& log = current();
  log.epoch = epoch;
  log.seen_epoch = epoch == nullptr ? 0 : epoch->load(std::memory_order_relaxed);
}

void follow_log_epoch(const std::atomic<std::uint32_t>& epoch, std::uint32_t seen) {
  current().epoch = &epoch;
  current().seen_epoch = seen;
}

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
