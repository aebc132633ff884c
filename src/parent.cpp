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
#include "log_target.hpp"
#include "succession.hpp"
#include "text.hpp"

namespace brood {
namespace {

std::vector<ServiceShape> shapes_of(const std::vector<std::unique_ptr<Service>>& services) {
  std::vector<ServiceShape> shapes;
  shapes.reserve(services.size());
  for (const auto& service : services) shapes.push_back({service->name(), service->slots_wanted()});
  return shapes;
}

Descriptor new_wake_descriptor() {
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) throw SystemError("eventfd", errno);
  return wake;
}

}  // namespace

Parent::Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services)
    : Parent(std::move(duties), std::move(services),
             Scoreboard(duties.scoreboard_path, duties.name, shapes_of(services)), new_wake_descriptor()) {
  for (auto& service : services_) service->begin();
}

Parent::Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services, const Heir& heir)
    : Parent(std::move(duties), std::move(services), open_scoreboard(heir.left()),
             Heir::share(heir.left().wake_descriptor)) {}

Parent::Parent(ParentDuties&& duties, std::vector<std::unique_ptr<Service>>&& services, Scoreboard scoreboard,
               Descriptor wake)
    : duties_(std::move(duties)),
      services_(std::move(services)),
      scoreboard_(std::move(scoreboard)),
      lock_(scoreboard_, [this](pid_t pid) { return is_child(pid); }),
      signals_({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}),
      wake_(std::move(wake)),
      upgrade_(duties_.program, [this] { return to_handover(bequest()); }) {
  block_all_signals();
  for (auto& service : services_)
    service->settle(scoreboard_, lock_, index_of(service->name()), wake_.get(), [this] { in_child(); });
  follow_log_epoch(&scoreboard_.header().log_epoch);
}

Parent::~Parent() {
  follow_log_epoch(nullptr);
  scoreboard_.remove_file();
}

std::uint32_t Parent::index_of(const std::string& service) const {
  if (const auto index = scoreboard_.find(service)) return *index;
  throw Error(text("service ", service, " has no place on the scoreboard"));
}

void Parent::in_child() {
  duties_.in_child();
  for (auto& service : services_) service->forget();
  upgrade_.forget();
  signals_ = SignalDescriptor();
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
      return reload("");
    case SIGUSR1:
      return reopen_logs();
    case SIGUSR2:
      return upgrade();
    default:
      return;  // SIGCHLD: reap() comes next
  }
}

void Parent::reload(const std::string& only) {
  if (stopping_) return;
  try {
    auto configurations = duties_.read_again();
    const Time now = Clock::now();
    for (auto& configuration : configurations) {
      if (!only.empty() && configuration.name != only) continue;
      if (Service* service = find(configuration.name)) service->reload(std::move(configuration), now);
    }
  } catch (const Error& error) {
    for (const auto line : split(error.what(), '\n')) log_error(line);
    log_error("reload refused: everything goes on as before");
    return;
  }
  try {
    duties_.commit(only);
  } catch (const std::exception& error) {
    log_error(text("reload: ", std::string_view(error.what())));
  }
  if (only.empty()) reopen_logs();
  log_info(text(only.empty() ? "reloaded" : "reloaded service " + only,
                ": children of older generations are replaced"));
}

Service* Parent::find(std::string_view service) const {
  const auto found = std::ranges::find(services_, service,
                                       [](const auto& each) -> std::string_view { return each->name(); });
  return found == services_.end() ? nullptr : found->get();
}

void Parent::reopen_logs() {
  try {
    reopen_log();
    auto& epoch = scoreboard_.orders().log_epoch;
    epoch.store(epoch.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  } catch (const Error& error) {
    log_error(text(std::string_view(error.what()), "; the log goes on into the old file"));
  }
}

void Parent::upgrade() {
  if (stopping_) return upgrade_.refuse("the server stops");
  upgrade_.begin(Clock::now());
}

Parent::UpgradeOutcome Parent::last_upgrade() const {
  using State = UpgradeOutcome::State;
  if (upgrade_.under_way()) return {State::under_way, ""};
  if (!upgrade_.refused().empty()) return {State::refused, upgrade_.refused()};
  return taken_over_;
}

Inheritance Parent::bequest() const {
  Inheritance left;
  duties_.hand_over(left);
  left.name = duties_.name;
  left.program = duties_.program.path();
  left.ready = ready_;
  left.told_not_ready = told_not_ready_;
  left.scoreboard = duties_.scoreboard_path;
  left.whole_descriptor = scoreboard_.descriptors().whole.get();
  left.read_only_descriptor = scoreboard_.descriptors().read_only.get();
  left.wake_descriptor = wake_.get();
  for (const auto& service : services_) left.services.push_back(service->bequest());
  return left;
}

void Parent::take_over(Heir& heir) {
  const Time now = Clock::now();
  unsigned children = 0;
  for (auto& service : services_) {
    service->take_over(heir, now);
    children += service->pool().count();
  }
  ready_ = heir.left().ready;
  told_not_ready_ = heir.left().told_not_ready;
  using State = UpgradeOutcome::State;
  if (heir.is_former()) {
    taken_over_ = {State::refused, heir.left().refused};
    log_error(text("upgrade refused: ", heir.left().refused, "; the former program has all back"));
  } else {
    taken_over_ = {State::done, text(duties_.program.path(), " took over ", children, " children of ",
                                     services_.size(), " service(s)")};
    log_info("upgraded: " + taken_over_.message);
    add(scoreboard_.orders().upgrades, 1);
  }
  heir.accept();
}

void Parent::stop() {
  upgrade_.cancel("the server stops");
  stopping_ = true;
  scoreboard_.orders().stopping.store(1, std::memory_order_relaxed);
  const auto patience = duties_.graceful_timeout();
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
  for (auto& service : services_)
    if (const auto slot = service->pool().find(pid)) return service->reaped(*slot, code, status, now);
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
  const bool hopeless = std::all_of(services_.begin(), services_.end(),
                                    [](const auto& service) { return service->fatal_exit().has_value(); });
  if (hopeless && !stopping_) {
    exit_code_ = *services_.front()->fatal_exit();
    stop();
    next = now;
  }
  if (!ready_ && !told_not_ready_ && std::any_of(services_.begin(), services_.end(), [](const auto& service) {
        return service->throttled();
      })) {
    told_not_ready_ = true;
    duties_.on_not_ready();
  }
  if (!ready_ && !hopeless && std::all_of(services_.begin(), services_.end(), [](const auto& service) {
        return service->ready() || service->fatal_exit();
      })) {
    ready_ = true;
    std::string addresses;
    for (const auto& service : services_) addresses += (addresses.empty() ? "" : " ") + service->addresses();
    duties_.on_ready(addresses);
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
  const auto left =
      std::max<std::int64_t>(until == never ? 0 : to_nanoseconds(until) - to_nanoseconds(Clock::now()), 0);
  const timespec timeout{.tv_sec = static_cast<std::time_t>(left / 1'000'000'000),
                         .tv_nsec = static_cast<long>(left % 1'000'000'000)};
  ::ppoll(events.data(), events.size(), until == never ? nullptr : &timeout, nullptr);
  std::uint64_t wakes = 0;
  [[maybe_unused]] const auto read = ::read(wake_.get(), &wakes, sizeof wakes);
}

// The whole of a parent's life, with one sleep and without a tick.
int Parent::run() {
  for (;;) {
    // This first: a child that ends after it is told of again. Then the dead: it frees slots, and what is
    // counted is true.
    const std::vector<int> arrived = signals_.arrived();
    reap();
    for (const int signal : arrived) obey(signal);
    const Time next = look(Clock::now());
    if (ended()) return exit_code_;
    wait(next);
  }
}

}  // namespace brood
