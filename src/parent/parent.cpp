// SPDX-License-Identifier: MIT
#include "parent/parent.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/event_descriptor.hpp"
#include "base/log_target.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {

Parent::Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services)
    : Parent(std::move(duties), std::move(services),
             Scoreboard(duties.scoreboard_path, duties.name,
                        ServiceList::shapes(services, duties.reserved_entries)),
             new_event()) {
  control_.open(duties_.scoreboard_path);
  for (const auto& service : services_) service->begin();
}

Parent::Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services, const Takeover& takeover)
    : Parent(std::move(duties), std::move(services), takeover.open_scoreboard(),
             Takeover::share(takeover.handed_over()->wake_descriptor)) {}

Parent::Parent(ParentDuties&& duties, std::vector<std::unique_ptr<Service>>&& services, Scoreboard scoreboard,
               Descriptor wake)
    : duties_(std::move(duties)),
      services_(std::move(services)),
      scoreboard_(std::move(scoreboard)),
      lock_(scoreboard_, [this](pid_t pid) { return is_child(pid); }),
      signals_({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}),
      wake_(std::move(wake)),
      control_(*this),
      upgrade_(duties_.program, [this] { return to_handover(hand_over()); }) {
  block_all_signals();
  services_.settle(scoreboard_, lock_, wake_.get(), [this](const Service& of) { in_child(of); });
  follow_log_epoch(&scoreboard_.header().log_epoch);
}

Parent::~Parent() {
  follow_log_epoch(nullptr);
  scoreboard_.remove_file();
}

// What one service's child had of another's listeners would keep those alive when they are closed, or the
// parent is gone.
void Parent::in_child(const Service& of) {
  duties_.in_child();
  for (auto& service : services_) {
    service->forget();
    if (service.get() != &of) service->forget_listeners();
  }
  upgrade_.forget();
  signals_ = SignalDescriptor();
  control_.forget();
  scoreboard_.give_up_orders();
}

bool Parent::is_child(pid_t pid) const {
  return pid > 0 && std::any_of(services_.begin(), services_.end(), [pid](const auto& service) {
           return service->pool().find(pid).has_value() || service->detached().has(pid);
         });
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
    case SIGUSR2:
      return upgrade();
    default:
      return;  // SIGCHLD: reap() comes next
  }
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
  upgrade_.cancel("the server stops");
  stopping_ = true;
  scoreboard_.orders().stopping.store(1, std::memory_order_relaxed);
  const auto patience = graceful_timeout();
  log_info(patience.count() == 0 ? std::string("stopping: connections in hand are finished")
                                 : text("stopping: connections in hand are finished, within ", patience));
  const Time limit = patience.count() == 0 ? never : Clock::now() + patience;
  for (auto& service : services_) service->stop(limit);
}

void Parent::stop_now() {
  upgrade_.cancel("the server stops");
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
  for (auto& service : services_) {
    if (const auto slot = service->pool().find(pid)) return service->reaped(*slot, code, status, now);
    if (service->reaped_without_slot(pid, code, status)) return;
  }
  upgrade_.reaped(pid, code, status, now);
}

void Parent::note_stop(pid_t pid, bool is_stopped) {
  for (auto& service : services_)
    if (const auto slot = service->pool().find(pid)) return service->stopped(*slot, is_stopped);
}

Time Parent::look(Time now) {
  Time next = upgrade_.look(now);
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
  const auto readiness = ready_ ? ServiceList::Readiness::ready : services_.readiness(duties_.all_or_none);
  if (readiness == ServiceList::Readiness::failing && !told_not_ready_) {
    told_not_ready_ = true;
    duties_.on_not_ready();
  }
  if (readiness == ServiceList::Readiness::ready && !ready_ && !stopping_) {
    ready_ = true;
    std::string addresses;
    for (const auto& service : services_) addresses += (addresses.empty() ? "" : " ") + service->addresses();
    duties_.on_ready(addresses);
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
  clear_event(wake_.get());
  if (std::ranges::any_of(events, tells_end))
    for (const auto& service : services_)
      if (service->watches_listeners()) service->revive_listeners();
  control_.take(events, Clock::now());
}

// The whole of a parent's life, with one sleep and without a tick.
int Parent::run() {
  for (;;) {
    // This first: a child that ends after it is told of again. Next the dead: it frees slots, and what is
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
