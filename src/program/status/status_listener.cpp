// SPDX-License-Identifier: MIT
#include "program/status/status_listener.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/process.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "program/status/reporter.hpp"
#include "settings/configuration.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr int backlog = 64;
constexpr auto long_enough = 1s;  // a process that lasts so long has not failed at its start
constexpr auto shortest_delay = 1s;
constexpr auto longest_delay = 60s;

std::vector<Listener> open_all(const std::string& written) {
  if (written.empty()) return {};
  return Listener::open(status_address(written), backlog);
}

// Its former process may have to hear of its parent's end.
std::vector<Listener> open_patiently(const std::string& written) {
  constexpr auto pause = 20ms;
  const Time until = Clock::now() + 2s;
  for (;;) try {
      return open_all(written);
    } catch (const SystemError& error) {
      if (error.error_number() != EADDRINUSE || Clock::now() >= until) throw;
      std::this_thread::sleep_for(pause);
    }
}

std::string addresses(const std::vector<Listener>& listeners) {
  std::string all;
  for (const auto& listener : listeners) all += (all.empty() ? "" : " ") + listener.address();
  return all;
}

Descriptor copy_of(int descriptor) {
  Descriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!copy) throw SystemError("copy a descriptor", errno);
  return copy;
}

}  // namespace

void ReporterDelay::ended(Time started, Time now) {
  if (now - started >= long_enough) return start_over();
  delay_ = std::clamp<Clock::duration>(delay_ * 2, shortest_delay, longest_delay);
  may_start_ = now + delay_;
}

void StatusListener::open(const std::string& written, const HandedOver* from) {
  written_ = written;
  if (from != nullptr && !written.empty())
    for (const auto& listener : from->status_listeners)
      if (listener.serves(status_address(written))) left_.push_back(listener);
  if (left_.empty()) listeners_ = open_patiently(written);
  if (!listeners_.empty()) log_info(text("status on ", addresses(listeners_)));
}

void StatusListener::take_over(Takeover& takeover) {
  for (const auto& each : std::exchange(left_, {}))
    listeners_.emplace_back(takeover.claim(each.descriptor), each);
}

void StatusListener::change(const std::string& written) {
  if (written == written_) return;
  std::vector<Listener> others = open_all(written);
  for (auto& listener : listeners_) listener.close();
  listeners_ = std::move(others);
  written_ = written;
  delay_.start_over();
  log_info(listeners_.empty() ? "status-listen is empty: no status listener any more"
                              : text("status on ", addresses(listeners_)));
}

std::vector<HandedOverListener> StatusListener::hand_over() const {
  std::vector<HandedOverListener> all;
  for (const auto& listener : listeners_) all.push_back(listener.hand_over());
  return all;
}

Time StatusListener::look(const ReporterHost& host, const std::string& scoreboard, Time now) {
  const bool knows_all = process_.epoch == host.epoch && process_.services == host.services;
  if (process_.pid != 0 && (listeners_.empty() || !knows_all)) {
    leaving_.push_back(process_.pid);  // it answers what it was asked, and ends
    process_ = {};
  }
  if (listeners_.empty() || process_.pid != 0) return never;
  if (now < delay_.may_start()) return delay_.may_start();
  start(host, scoreboard, now);
  return process_.pid == 0 ? delay_.may_start() : never;
}

void StatusListener::start(const ReporterHost& host, const std::string& scoreboard, Time now) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    log_error(text("status-listen: ", std::string_view(SystemError("make a pipe", errno).what())));
    return delay_.ended(now, now);
  }
  Descriptor child_end(ends[0]), parent_end(ends[1]);
  const pid_t pid = spawn([&]() -> int {
    parent_end.reset();
    ReporterSetup setup{.parent_end = std::move(child_end), .scoreboard = scoreboard};
    for (const auto& listener : listeners_) setup.listeners.push_back(copy_of(listener.descriptor()));
    setup.scoreboards = host.become_reader();
    return reporter_main(std::move(setup));
  });
  if (pid < 0) {
    log_error(text("status-listen: ", std::string_view(SystemError("fork", errno).what())));
    return delay_.ended(now, now);
  }
  process_ = {.pid = pid,
              .epoch = host.epoch,
              .services = host.services,
              .started = now,
              .end = std::move(parent_end)};
}

bool StatusListener::reaped(pid_t pid, int code, int status, Time now) {
  if (std::erase(leaving_, pid) > 0) return true;
  if (pid != process_.pid) return false;
  delay_.ended(process_.started, now);
  log_warning(text("status-listen: process ", pid, " ", how_it_ended(code, status), "; it is started again",
                   delay_.delay().count() == 0 ? "" : text(" in ", delay_.delay())));
  process_ = {};
  return true;
}

void StatusListener::forget() {
  process_ = {};
  for (auto& listener : listeners_) listener.forget();
}

}  // namespace brood
