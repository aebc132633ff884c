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
namespace {

// The longest graceful-timeout of the services; 0: no limit.
std::chrono::milliseconds longest_graceful_timeout(const ServiceList& services) {
  std::chrono::milliseconds longest{0};
  for (const auto& service : services) {
    const auto timeout = service->limits().graceful_timeout;
    if (timeout.count() == 0) return timeout;
    longest = std::max(longest, timeout);
  }
  return longest;
}

}  // namespace

Parent::Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>> services)
    : Parent(program, std::move(services),
             Scoreboard(program.scoreboard_path(), program.name(),
                        ServiceList::shapes(services, program.rules().reserved_entries)),
             new_event()) {
  control_.open(program_.scoreboard_path());
  for (const auto& service : services_) service->begin();
}

Parent::Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>> services,
               const Takeover& takeover)
    : Parent(program, std::move(services), takeover.open_scoreboard(),
             Takeover::share(takeover.handed_over()->wake_descriptor)) {}

Parent::Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>>&& services,
               Scoreboard scoreboard, Descriptor wake)
    : program_(program),
      services_(std::move(services)),
      scoreboard_(std::move(scoreboard)),
      lock_(scoreboard_, [this](pid_t pid) { return is_child(pid); }),
      signals_({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}),
      wake_(std::move(wake)),
      orders_(*this),
      control_(orders_),
      upgrade_(program.executable(), [this] { return to_handover(hand_over()); }) {
  block_all_signals();
  services_.attach(*this);
  follow_log_epoch(&scoreboard_.header().log_epoch);
}

Parent::~Parent() {
  follow_log_epoch(nullptr);
  scoreboard_.remove_file();
}

// A child that kept the listeners of another service would keep them open when the parent closes them or
// ends.
void Parent::close_in_child(const Service& service) {
  program_.close_in_child();
  for (auto& each : services_) {
    each->forget_children();
    if (each.get() != &service) each->forget_listeners();
  }
  upgrade_.forget();
  signals_ = SignalDescriptor();
  control_.forget();
  scoreboard_.give_up_orders();
}

bool Parent::is_child(pid_t pid) const {
  return pid > 0 &&
         std::ranges::any_of(services_, [pid](const auto& service) { return service->has_child(pid); });
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

void Parent::begin_stop() {
  upgrade_.cancel("the server stops");
  stopping_ = true;
  scoreboard_.orders().stopping.store(1, std::memory_order_relaxed);
}

void Parent::stop() {
  begin_stop();
  const auto timeout = longest_graceful_timeout(services_);
  const bool limited = timeout.count() > 0;
  log_info(text("stopping: open connections are finished", limited ? text(", within ", timeout) : ""));
  const Time deadline = limited ? Clock::now() + timeout : never;
  for (auto& service : services_) service->stop(deadline);
}

void Parent::stop_now() {
  begin_stop();
  log_info("stopping now");
  for (auto& service : services_) service->stop_now("the server stops now");
}

// As PID 1 of a container the parent inherits foreign processes. They are reaped, and nothing else.
void Parent::reap() {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) != 0 || info.si_pid == 0) return;
    switch (info.si_code) {
      case CLD_STOPPED:
      case CLD_TRAPPED:
        child_stopped(info.si_pid, true);
        break;
      case CLD_CONTINUED:
        child_stopped(info.si_pid, false);
        break;
      default:
        process_ended(info.si_pid, info.si_code, info.si_status, Clock::now());
    }
  }
}

void Parent::process_ended(pid_t pid, int code, int status, Time now) {
  for (auto& service : services_) {
    if (const auto slot = service->pool().find(pid)) return service->child_ended(*slot, code, status, now);
    if (service->process_ended(pid, code, status)) return;
  }
  upgrade_.reaped(pid, code, status, now);
}

void Parent::child_stopped(pid_t pid, bool is_stopped) {
  for (auto& service : services_)
    if (const auto slot = service->pool().find(pid)) return service->child_stopped(*slot, is_stopped);
}

Time Parent::look(Time now) {
  Time next = upgrade_.look(now);
  for (auto& service : services_) next = std::min(next, service->look(now));
  // A service that fails does not stop the others. If all have failed, the server stops.
  const auto failure = services_.failure_of_all();
  if (failure && !stopping_) {
    exit_code_ = *failure;
    stop();
    return now;
  }
  report_readiness();
  for (const auto& service : services_.erase_ended()) {
    try_reload(service);
    next = now;
  }
  return next;
}

void Parent::report_readiness() {
  if (ready_) return;
  const auto readiness = services_.readiness(program_.rules().all_or_none);
  if (readiness == ServiceList::Readiness::failing && !reported_not_ready_) {
    reported_not_ready_ = true;
    program_.report_not_ready();
  }
  if (readiness != ServiceList::Readiness::ready || stopping_) return;
  ready_ = true;
  std::string addresses;
  for (const auto& service : services_) addresses += (addresses.empty() ? "" : " ") + service->addresses();
  program_.report_ready(addresses);
}

bool Parent::ended() const {
  return stopping_ && std::ranges::all_of(services_, [](const auto& service) { return service->ended(); });
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
  control_.receive(events, Clock::now());
}

// One sleep, and no tick.
int Parent::run() {
  for (;;) {
    // Signals first: a child that ends after this sends another one. Then the dead children are reaped, so
    // that their slots are free and the counts are true.
    const std::vector<int> arrived = signals_.arrived();
    reap();
    for (const int signal : arrived) obey(signal);
    control_.handle_requests(Clock::now());
    const Time next = look(Clock::now());
    const Time next_of_control = control_.answer(Clock::now());
    if (ended()) return exit_code_;
    wait(std::min(next, next_of_control));
  }
}

}  // namespace brood
