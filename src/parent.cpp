// SPDX-License-Identifier: MIT
#include "parent.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "brood/error.hpp"
#include "brood/log.hpp"
#include "command_settings.hpp"
#include "log_target.hpp"
#include "text.hpp"

namespace brood {
namespace {

void log_lines(std::string_view lines) {
  for (const auto line : split(lines, '\n')) log_error(line);
}

Descriptor new_wake_descriptor() {
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) throw SystemError("eventfd", errno);
  return wake;
}

}  // namespace

Parent::Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services)
    : duties_(std::move(duties)),
      services_(std::move(services)),
      scoreboard_(duties_.scoreboard_path, duties_.name, services_.shapes(duties_.reserved_entries)),
      lock_(scoreboard_, [this](pid_t pid) { return is_child(pid); }),
      signals_({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD}),
      wake_(new_wake_descriptor()),
      control_(*this, duties_.scoreboard_path) {
  block_all_signals();
  services_.settle(scoreboard_, lock_, wake_.get(), [this] { in_child(); });
  follow_log_epoch(&scoreboard_.header().log_epoch);
}

Parent::~Parent() {
  follow_log_epoch(nullptr);
  scoreboard_.remove_file();
}

void Parent::in_child() {
  duties_.in_child();
  for (auto& service : services_) service->forget();
  signals_ = SignalDescriptor();
  control_.forget();
  scoreboard_.give_up_orders();
}

bool Parent::is_child(pid_t pid) const {
  return pid > 0 && std::any_of(services_.begin(), services_.end(),
                                [pid](const auto& service) { return service->pool().find(pid).has_value(); });
}

void Parent::obey(int signal) {
  switch (signal) {
    case SIGTERM:
      return stopping_ ? stop_now() : stop();
    case SIGINT:
    case SIGQUIT:
      return stop_now();
    case SIGHUP:
      return try_reload("");
    case SIGUSR1:
      return try_reopen();
    default:
      return;  // SIGCHLD: reap() comes next
  }
}

void Parent::try_reload(const std::string& only) {
  try {
    reload(only);
  } catch (const Error& error) {
    log_lines(error.what());
    log_error("reload refused: everything goes on as before");
  }
}

void Parent::try_reopen() {
  try {
    reopen_logs();
  } catch (const Error& error) {
    log_error(text(std::string_view(error.what()), "; the log goes on into the old file"));
  }
}

Roster::Outcome Parent::reload(const std::string& only) {
  if (stopping_) return {};
  Roster::Outcome outcome = services_.reload(duties_.read_again(), only, duties_.together, Clock::now());
  if (!outcome.changed())
    throw ConfigurationError(outcome.mistakes.empty() ? "there is no service " + only : outcome.mistakes);
  if (!outcome.mistakes.empty()) log_lines(outcome.mistakes);
  try {
    duties_.commit(only, outcome.refused);
  } catch (const std::exception& error) {
    log_error(text("reload: ", std::string_view(error.what())));
  }
  tell_hooks(outcome.taken);
  if (only.empty()) try_reopen();
  log_info(text(only.empty() ? "reloaded" : "reloaded service " + only,
                ": children of older generations are replaced"));
  return outcome;
}

void Parent::tell_hooks(const std::vector<Service*>& services) const {
  for (Service* service : services) try {
      service->server().on_reload();
    } catch (const std::exception& error) {
      log_error(text("reload: ", std::string_view(error.what())));
    }
}

void Parent::check() const {
  std::string mistakes;
  for (const auto& wanted : duties_.read_again()) try {
      if (!wanted.configuration) throw ConfigurationError(wanted.mistakes);
      if (const Service* service = find(wanted.name)) service->check(in_effect(*wanted.configuration).limits);
    } catch (const Error& error) {
      mistakes += (mistakes.empty() ? "" : "\n") + std::string(error.what());
    }
  if (!mistakes.empty()) throw ConfigurationError(mistakes);
}

std::vector<Parent::Change> Parent::scale(Service& service, const ScaledSettings& changes) {
  ScaledSettings all = service.scaled();
  for (const auto& [setting, value] : changes) all[setting] = value;
  const Limits limits = in_effect(duties_.scaled(service.name(), all)).limits;
  // The defaults of a table are the values that it was made over.
  Settings before;
  ServiceConfiguration present = service.configuration();
  add_service_settings(before, present);
  service.scale(limits, std::move(all));
  std::vector<Change> changed;
  for (const auto& [setting, value] : changes)
    changed.push_back({setting, before.find(setting)->defaults.front(), value});
  return changed;
}

void Parent::reopen_logs() {
  reopen_log();
  auto& epoch = scoreboard_.orders().log_epoch;
  epoch.store(epoch.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::chrono::milliseconds Parent::graceful_timeout() const {
  std::chrono::milliseconds longest{0};
  for (const auto& service : services_) {
    const auto its = service->limits().graceful_timeout;
    if (its.count() == 0) return its;
    longest = std::max(longest, its);
  }
  return longest;
}

void Parent::stop() {
  stopping_ = true;
  scoreboard_.orders().stopping.store(1, std::memory_order_relaxed);
  const auto patience = graceful_timeout();
  log_info(patience.count() == 0 ? std::string("stopping: connections in hand are finished")
                                 : text("stopping: connections in hand are finished, within ", patience));
  const Time limit = patience.count() == 0 ? never : Clock::now() + patience;
  for (auto& service : services_) service->stop(limit);
}

void Parent::stop_now() {
  stopping_ = true;
  scoreboard_.orders().stopping.store(1, std::memory_order_relaxed);
  log_info("stopping now");
  for (auto& service : services_) service->stop_now("the server stops now");
}

// As PID 1 of a container the parent inherits strangers: they are reaped, and that is all.
void Parent::reap() {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) != 0 || info.si_pid == 0) return;
    switch (info.si_code) {
      case CLD_STOPPED:
      case CLD_TRAPPED:
        note_stop(info.si_pid, true);
        break;
      case CLD_CONTINUED:
        note_stop(info.si_pid, false);
        break;
      default:
        bury(info.si_pid, info.si_code, info.si_status, Clock::now());
    }
  }
}

void Parent::bury(pid_t pid, int code, int status, Time now) {
  for (auto& service : services_)
    if (const auto slot = service->pool().find(pid)) return service->reaped(*slot, code, status, now);
}

void Parent::note_stop(pid_t pid, bool is_stopped) {
  for (auto& service : services_)
    if (const auto slot = service->pool().find(pid)) return service->stopped(*slot, is_stopped);
}

Time Parent::look(Time now) {
  Time next = never;
  for (auto& service : services_) {
    next = std::min(next, service->look(now));
  }
  // One that can't serve must not take the others along; when none can, that is the end.
  const auto hopeless = services_.hopeless();
  if (hopeless && !stopping_) {
    exit_code_ = *hopeless;
    stop();
    return now;
  }
  const auto readiness = ready_ ? Roster::Readiness::ready : services_.readiness(duties_.all_or_none);
  if (readiness == Roster::Readiness::failing && !told_not_ready_) {
    told_not_ready_ = true;
    duties_.on_not_ready();
  }
  if (readiness == Roster::Readiness::ready && !ready_ && !stopping_) {
    ready_ = true;
    duties_.on_ready();
  }
  for (const auto& service : services_.drop_ended()) {
    try_reload(service);
    next = now;
  }
  return next;
}

bool Parent::ended() const {
  return stopping_ && std::all_of(services_.begin(), services_.end(),
                                  [](const auto& service) { return service->ended(); });
}

void Parent::wait(Time until) {
  std::vector<pollfd> events = {{.fd = signals_.descriptor(), .events = POLLIN, .revents = 0},
                                {.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  for (const auto& service : services_) service->add_watched(events);
  control_.add_watched(events);
  const auto left =
      std::max<std::int64_t>(until == never ? 0 : to_nanoseconds(until) - to_nanoseconds(Clock::now()), 0);
  const timespec timeout{.tv_sec = static_cast<std::time_t>(left / 1'000'000'000),
                         .tv_nsec = static_cast<long>(left % 1'000'000'000)};
  ::ppoll(events.data(), events.size(), until == never ? nullptr : &timeout, nullptr);
  std::uint64_t wakes = 0;
  [[maybe_unused]] const auto read = ::read(wake_.get(), &wakes, sizeof wakes);
  control_.take(events, Clock::now());
}

// The whole of a parent's life, with one sleep and without a tick.
int Parent::run() {
  for (;;) {
    // This first: a child that ends after it is told of again. Then the dead: it frees slots, and what is
    // counted is true.
    const std::vector<int> arrived = signals_.arrived();
    reap();
    for (const int signal : arrived) obey(signal);
    control_.obey(Clock::now());
    const Time next = look(Clock::now());
    const Time asked = control_.look(Clock::now());
    if (ended()) return exit_code_;
    wait(std::min(next, asked));
  }
}

}  // namespace brood
