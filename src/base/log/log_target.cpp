// SPDX-License-Identifier: MIT
#include "base/log/log_target.hpp"

#include <cerrno>
#include <mutex>
#include <utility>

#include "base/log/log_file.hpp"
#include "base/log/open_log.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

struct Logs {
  std::shared_ptr<OpenLog> of_process;
  const ServiceLog* scope = nullptr;  // in the parent
  std::string service;                // that the line is about, which is written
  const std::atomic<std::uint32_t>* epoch = nullptr;
  std::uint32_t seen_epoch = 0;
  std::mutex reopening;
};

Logs& logs() {
  static Logs all;  // NOLINT: one process, one log
  return all;
}

void follow(Logs& all) {
  const std::lock_guard guard(all.reopening);
  const auto epoch = all.epoch->load(std::memory_order_relaxed);
  if (epoch == all.seen_epoch) return;
  all.seen_epoch = epoch;
  all.of_process->follow();
}

}  // namespace

LogTarget LogTarget::of(const LogSettings& settings, std::string server, uid_t owner) {
  return {.name = std::move(server),
          .to = settings.to,
          .level = level_of(settings.level),
          .owner = owner,
          .format = settings.format,
          .facility = settings.facility,
          .identity = settings.identity};
}

bool LogTarget::is_same_as(const LogTarget& other) const {
  const bool alike = to == other.to && format == other.format;
  return alike && (to != "syslog" || (facility == other.facility && identity == other.identity));
}

void open_log(const LogTarget& target) {
  Logs& all = logs();
  all.of_process = std::make_shared<OpenLog>(target, all.of_process.get(), all.service);
}

void try_log(const LogTarget& target) {
  if (is_log_file(target.to)) open_log_file(target.to, target.owner);
}

void set_log_level(LogLevel level) {
  if (logs().of_process) logs().of_process->set_level(level);
}

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  return name == "error" ? LogLevel::error : LogLevel::info;
}

void reopen_log() {
  if (logs().of_process) logs().of_process->reopen();
}

void follow_log_epoch(const std::atomic<std::uint32_t>& epoch, std::uint32_t seen) {
  Logs& all = logs();
  if (all.of_process) all.of_process->only_receive();
  all.epoch = &epoch;
  all.seen_epoch = seen;
}

void stop_following_log_epoch() { logs().epoch = nullptr; }

LogTarget log_in_use() { return logs().of_process ? logs().of_process->in_use() : LogTarget(); }

bool logs_to_standard_error() { return !logs().of_process || logs().of_process->target().to == "stderr"; }

LogChannel* channel_of_log() { return logs().of_process ? logs().of_process->channel() : nullptr; }

std::uint32_t seen_log_epoch() { return logs().seen_epoch; }

void set_log_service(const std::string& service) { logs().service = service; }

void log(LogLevel level, std::string_view message) {
  Logs& all = logs();
  if (!all.of_process) open_log(LogTarget{.name = program_invocation_short_name});
  if (all.epoch != nullptr && all.of_process->is_file() &&
      all.epoch->load(std::memory_order_relaxed) != all.seen_epoch)
    follow(all);
  all.of_process->write(level, message);
  if (all.scope == nullptr || !all.scope->own_) return;
  if (all.scope->own_->target().is_same_as(all.of_process->target())) return;  // since a reload
  all.scope->own_->write(level, message);
}

// ---- of a service

void ServiceLog::open(const LogTarget& target) {
  Logs& all = logs();
  if (all.of_process && target.is_same_as(all.of_process->target()))
    own_.reset();
  else if (own_ && target.is_same_as(own_->target()) && target.owner == own_->target().owner)
    own_->set_level(target.level);
  else
    own_ = std::make_shared<OpenLog>(target, own_.get(), all.service);
}

LogChannel* ServiceLog::channel() const { return own_ ? own_->channel() : nullptr; }

void ServiceLog::reopen() {
  if (own_) own_->reopen();
}

void ServiceLog::become_log_of_process() {
  Logs& all = logs();
  all.scope = nullptr;
  all.service = service_;
  if (own_) all.of_process = std::exchange(own_, nullptr);
}

void ServiceLog::forget() { own_.reset(); }

LogScope::LogScope(const ServiceLog& log) : outer_(std::exchange(logs().scope, &log)) {
  logs().service = log.service_;
}

LogScope::~LogScope() {
  logs().scope = outer_;
  logs().service = outer_ != nullptr ? outer_->service_ : "";
}

}  // namespace brood
