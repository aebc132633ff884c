// SPDX-License-Identifier: MIT
#include "child/access_log.hpp"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/log/log_file.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/client_messages.hpp"

namespace brood {
namespace {

using seconds = std::chrono::duration<double>;

std::string time_text(std::chrono::system_clock::time_point now) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                     milliseconds.count());
}

std::string peer_text(const Address& peer) {
  return peer.family() == Address::Family::other ? "trigger" : peer.text();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : escape(text)) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string keys_line(const Ended& ended, std::string_view service, pid_t child, const std::string& time) {
  const std::string waited = ended.waited ? fmt::format("{:.3f}", seconds(*ended.waited).count()) : "-";
  return fmt::format(
      "time={} service={} pid={} peer={} listener={} note={} waited_seconds={} duration_seconds={:.6f} "
      "read_bytes={} written_bytes={} outcome={}\n",
      time, service, child, peer_text(ended.peer), escape(ended.listener), quoted(ended.note), waited,
      seconds(ended.duration).count(), ended.bytes_read, ended.bytes_written, name_of(ended.outcome));
}

std::string json_line(const Ended& ended, std::string_view service, pid_t child, const std::string& time) {
  using Json = nlohmann::ordered_json;
  const Json line = {{"time", time},
                     {"service", service},
                     {"pid", child},
                     {"peer", peer_text(ended.peer)},
                     {"listener", ended.listener},
                     {"note", ended.note},
                     {"waited_seconds", ended.waited ? Json(seconds(*ended.waited).count()) : Json()},
                     {"duration_seconds", seconds(ended.duration).count()},
                     {"read_bytes", ended.bytes_read},
                     {"written_bytes", ended.bytes_written},
                     {"outcome", name_of(ended.outcome)}};
  return line.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string access_line(const Ended& ended, AccessLogFormat format, std::string_view service, pid_t child,
                        std::chrono::system_clock::time_point now) {
  const auto line = format == AccessLogFormat::json ? json_line : keys_line;
  return line(ended, service, child, time_text(now));
}

AccessLog::AccessLog(AccessLogSettings settings, uid_t owner, const Shared<std::uint32_t>& log_epoch,
                     std::string_view service)
    : settings_(std::move(settings)),
      owner_(owner),
      log_epoch_(log_epoch),
      service_(service),
      seen_epoch_(log_epoch.load(relaxed)) {
  open();
}

AccessLog::~AccessLog() { report_lost(); }

void AccessLog::open() {
  try {
    file_ = open_log_file(settings_.path, owner_);
    output_.emplace(file_.get());
  } catch (const SystemError& error) {
    log_for_client(ClientMessage::access_log, LogLevel::error,
                   text("access-log: ", std::string_view(error.what())));
  }
}

// If that fails, the lines go to the file that is open, whatever its name is now.
void AccessLog::open_again() {
  const std::uint32_t epoch = log_epoch_.load(relaxed);
  if (epoch == seen_epoch_) return;
  seen_epoch_ = epoch;
  open();
}

void AccessLog::write(const Ended& ended) {
  const std::lock_guard lock(mutex_);
  open_again();
  if (!output_) return;
  std::string line =
      access_line(ended, settings_.format, service_, ::getpid(), std::chrono::system_clock::now());
  if (torn_) line.insert(line.begin(), '\n');
  const std::size_t taken = output_->write(line);
  if (taken > 0) torn_ = taken < line.size();
  if (taken == line.size()) return report_lost();
  if (lost_++ == 0)
    log_for_client(ClientMessage::access_log, LogLevel::warning,
                   SystemError(text("access-log ", settings_.path, " takes no lines"), errno).what());
}

void AccessLog::report_lost() {
  if (lost_ == 0) return;
  log_for_client(ClientMessage::access_log, LogLevel::warning,
                 text("access-log ", settings_.path, ": ", lost_, " lines were lost"));
  lost_ = 0;
}

}  // namespace brood
