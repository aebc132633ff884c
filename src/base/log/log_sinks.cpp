// SPDX-License-Identifier: MIT
#include "base/log/log_sinks.hpp"

#include <paths.h>
#include <syslog.h>

#include <algorithm>
#include <array>

#include "base/clock.hpp"
#include "base/file_identity.hpp"
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

int number_of_facility(std::string_view name) {
  constexpr std::array<int, syslog_facilities.size()> numbers = {
      LOG_AUTH,   LOG_AUTHPRIV, LOG_CRON,   LOG_DAEMON, LOG_FTP,    LOG_LPR,    LOG_MAIL,
      LOG_NEWS,   LOG_SYSLOG,   LOG_USER,   LOG_UUCP,   LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2,
      LOG_LOCAL3, LOG_LOCAL4,   LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};
  const auto found = std::ranges::find(syslog_facilities, name);
  return found == syslog_facilities.end()
             ? LOG_DAEMON
             : numbers.at(static_cast<std::size_t>(found - syslog_facilities.begin()));
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

// ---- standard error, standard output

StandardSink::StandardSink(LostLines& lost, int descriptor)
    : LogSink(lost), descriptor_(descriptor), output_(descriptor) {}

std::size_t StandardSink::write(const Message& /*message*/, std::string_view line) {
  if (output_->outdated()) output_.emplace(descriptor_);
  return output_->write(line);
}

// ---- a path

FileSink::FileSink(LostLines& lost, const LogTarget& target)
    : LogSink(lost), path_(target.to), owner_(target.owner) {
  use(target.descriptor >= 0 ? Descriptor(target.descriptor) : open_log_file(path_, owner_));
  if (target.channel_descriptor >= 0)
    channel_ = LogChannel(Descriptor(target.channel_descriptor));
  else if (target.descriptor < 0 && !path_.starts_with("/dev/"))
    channel_ = LogChannel::make();
}

void FileSink::reopen() {
  const std::lock_guard guard(mutex_);
  use(open_log_file(path_, owner_));
  channel_.offer(descriptor_.get());
}

// If the channel has nothing new, the child tries the path: since a reload its parent may have another log,
// and another channel.
void FileSink::follow() {
  const std::lock_guard guard(mutex_);
  Descriptor offered = channel_.take();
  if (offered && !FileIdentity::of(descriptor_.get()).is_open_as(offered.get()))
    return use(std::move(offered));
  try {
    use(open_log_file(path_, owner_));
  } catch (const SystemError&) {
    if (!offered) throw;
  }
}

void FileSink::use(Descriptor opened) {
  descriptor_ = std::move(opened);
  output_.emplace(descriptor_.get());
}

std::size_t FileSink::write(const Message& /*message*/, std::string_view line) {
  return output_->write(line);
}

// ---- syslog

SyslogSink::SyslogSink(LostLines& lost, std::string identity, std::string_view facility)
    : LogSink(lost),
      identity_(std::move(identity)),
      facility_(number_of_facility(facility)),
      socket_(_PATH_LOG) {}

// The line is the message alone, with a newline.
std::size_t SyslogSink::write(const Message& message, std::string_view line) {
  std::tm local{};
  const std::time_t now = std::time(nullptr);
  ::localtime_r(&now, &local);
  const std::string_view text = line.substr(0, line.find_last_not_of('\n') + 1);
  const bool sent = socket_.send(
      syslog_header(facility_ | syslog_level(message.level), local, identity_, ::getpid()).append(text));
  return sent ? line.size() : 0;
}

}  // namespace brood
