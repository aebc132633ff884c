// SPDX-License-Identifier: MIT
#include "parent/parent.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/event_descriptor.hpp"
#include "base/log/log_target.hpp"
#include "base/lookup/cgroup.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_process.hpp"
#include "child/crash/crash_handler.hpp"
#include "listen/inherited.hpp"

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
    : Parent(program, std::move(services), nullptr) {
  control_.open(scoreboards().path);
  for (const auto& service : services_) service->begin();
}

Parent::Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>> services,
               const Takeover& takeover)
    : Parent(program, std::move(services), &takeover) {}

Parent::Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>>&& services,
               const Takeover* takeover)
    : program_(program),
      services_(std::move(services)),
      facts_(takeover != nullptr ? takeover->server_facts() : ServerFacts::of_this_process(program.name())),
      signals_({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT}),
      orders_(*this),
      control_(orders_),
      upgrade_(program.executable(), [this] { return to_handover(hand_over()); }) {
  block_all_signals();
  ChildProcess::prepare();
  crash_handler::prepare();
  if (takeover != nullptr)
    server_file_ = takeover->open_server_file();
  else if (const auto path = scoreboards().of_server(); !path.empty())
    scoreboards().share(server_file_.emplace(path, facts_, "", 0));
  services_.attach(*this, takeover);
}

Parent::~Parent() {
  for (const auto& service : services_) service->scoreboard().remove_file();
  if (!server_file_) return;
  server_file_->remove_file();
  program_.remove_scoreboard_directory();
}

// A child that kept the listeners of another service would keep them open when the parent closes them or
// ends. A child that kept its scoreboard could write there.
void Parent::close_in_child(const Service& service) {
  program_.close_in_child();
  for (auto& each : services_) {
    each->forget_children();
    if (each.get() == &service)
      each->forget_orders();
    else
      each->forget_all();
  }
  readings_.forget();
  forget_what_is_ours();
}

// In a process that forks no children and serves no connections.
void Parent::close_all_in_process() {
  program_.close_in_child();
  for (auto& each : services_) {
    each->forget_children();
    each->forget_all();
  }
  forget_what_is_ours();
}

// In the process of status-listen. What is shared comes from read-only descriptors.
std::vector<Descriptor> Parent::become_reader() {
  std::vector<Descriptor> readable;
  const auto add = [&](const Scoreboard& scoreboard) {
    readable.push_back(Takeover::share(scoreboard.descriptors().read_only.get()));
  };
  if (server_file_) add(*server_file_);
  for (const auto& service : services_) add(service->scoreboard());
  close_all_in_process();
  return readable;
}

void Parent::forget_what_is_ours() {
  close_inherited();
  server_file_.reset();
  upgrade_.forget();
  signals_ = SignalDescriptor();
  control_.forget();
}

void Parent::publish_facts() const {
  for (const auto& service : services_) service->scoreboard().publish(facts_);
  if (server_file_) server_file_->publish(facts_);
}

void Parent::obey(int signal) {
  switch (signal) {
    case SIGTERM:
      if (stopping_) return stop_now();
      return stopping() ? stop_services() : stop();
    case SIGINT:
    case SIGQUIT:
      return stop_now();
    case SIGHUP:
      ++reloads_;
      return reload_when_looked_up("");
    case SIGUSR1:
      return try_reopen();
    case SIGUSR2:
      return upgrade();
    default:
      return;  // SIGCHLD: reap() comes next. SIGCONT: see notice_pause()
  }
}

void Parent::begin_stop() {
  upgrade_.cancel("the server stops");
  readings_.cancel();
  stopping_ = true;
  facts_.stopping = true;
  facts_.draining = false;
  publish_facts();
  program_.let_successor_start();  // after that: it looks whether this one stops
}

void Parent::stop() {
  const auto delay = program_.drain_delay();
  if (delay.count() == 0) return stop_services();
  upgrade_.cancel("the server stops");
  readings_.cancel();
  drain_until_ = Clock::now() + delay;
  facts_.draining = true;
  publish_facts();
  log_info(text("draining: not ready any more; serves on for ", delay, ", and then stops"));
}

void Parent::stop_services() {
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
    constexpr int all = WEXITED | WSTOPPED | WCONTINUED | WNOHANG;
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, all | WNOWAIT) != 0 || info.si_pid == 0) return;
    const pid_t pid = info.si_pid;
    ProcessUsage usage;
    const bool ended = info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    for (const auto& service : services_)
      if (ended) service->before_reaped(info.si_pid);
    info = {};
    if (wait_for(pid, all, info, usage) != 0 || info.si_pid == 0) continue;  // it has just been continued
    switch (info.si_code) {
      case CLD_STOPPED:
      case CLD_TRAPPED:
        child_stopped(info.si_pid, true);
        break;
      case CLD_CONTINUED:
        child_stopped(info.si_pid, false);
        break;
      default:
        process_ended(info.si_pid, info.si_code, info.si_status, usage, Clock::now());
    }
  }
}

void Parent::process_ended(pid_t pid, int code, int status, const ProcessUsage& usage, Time now) {
  for (auto& service : services_) {
    if (const auto slot = service->pool().find(pid))
      return service->child_ended(*slot, code, status, usage, now);
    if (service->process_ended(pid, code, status)) return;
  }
  if (readings_.reaped(pid, code, status) || program_.process_ended(pid, code, status, now)) return;
  upgrade_.reaped(pid, code, status, now);
}

void Parent::child_stopped(pid_t pid, bool is_stopped) {
  for (auto& service : services_)
    if (const auto slot = service->pool().find(pid)) return service->child_stopped(*slot, is_stopped);
}

void Parent::notice_pause(bool continued, Time now) {
  const Clock::duration pause = pauses_.runs(now, continued);
  if (pause == Clock::duration::zero()) return;
  for (auto& service : services_) service->paused(pause, now);
  upgrade_.paused(pause);
}

Time Parent::look(Time now) {
  if (!stopping_ && now >= drain_until_) stop_services();
  readings_.look(now);
  // The next program would not know of the orders that wait for a reading.
  Time next = readings_.under_way() ? never : upgrade_.look(now);
  for (auto& service : services_) next = std::min(next, service->look(now));
  // A service that fails does not stop the others. If all have failed, the server stops.
  const auto failure = services_.failure_of_all();
  if (failure && !stopping_) {
    exit_code_ = *failure;
    stop_services();
    return now;
  }
  report_readiness();
  for (const auto& service : services_.erase_ended()) {
    reload_when_looked_up(service);
    next = now;
  }
  next = std::min(next, program_.look_at_reporter({.epoch = reporter_epoch_,
                                                   .services = services_.size(),
                                                   .become_reader = [this] { return become_reader(); }},
                                                  now));
  const ServerState state{.ready = ready_,
                          .stopping = stopping(),
                          .draining = !stopping_ && stopping(),
                          .reloading = readings_.has(reload_name("")),
                          .reloads = reloads_};
  next = std::min(next, program_.tell_state(
                            state, [this] { return load(); }, now));
  if (!stopping_) next = std::min(next, drain_until_);
  return std::min(next, readings_.look_again());
}

ServerLoad Parent::load() const {
  ServerLoad all;
  for (const auto& service : services_) service->add_load(all);
  return all;
}

void Parent::report_readiness() {
  if (ready_) return;
  const auto readiness = services_.readiness(program_.rules().all_or_none);
  if (readiness == ServiceList::Readiness::failing && !reported_not_ready_) {
    reported_not_ready_ = true;
    program_.report_not_ready();
  }
  if (readiness != ServiceList::Readiness::ready || stopping()) return;
  ready_ = true;
  std::string addresses;
  for (const auto& service : services_) addresses += (addresses.empty() ? "" : " ") + service->addresses();
  program_.report_ready(addresses);
  warn_of_memory();
}

// Once, at the start: what children need later is not known.
void Parent::warn_of_memory() const {
  const auto limit = limits_of_cgroup().memory;
  if (!limit) return;
  const std::uint64_t own = anonymous_memory_of(::getpid()).value_or(0);
  std::vector<MemoryNeed> needs;
  for (const auto& service : services_)
    if (auto need = service->memory_need(own)) needs.push_back(std::move(*need));
  if (const std::string warning = memory_warning(needs, own, limit); !warning.empty()) log_warning(warning);
}

bool Parent::ended() const {
  return stopping_ && std::ranges::all_of(services_, [](const auto& service) { return service->ended(); });
}

void Parent::wait(Time until) {
  std::vector<pollfd> events = {{.fd = signals_.descriptor(), .events = POLLIN, .revents = 0}};
  for (const auto& service : services_) events.push_back(service->wake_up());
  for (const auto& service : services_) events.push_back(service->output());
  for (const auto& service : services_) events.push_back(service->notices());
  for (const auto& service : services_) events.push_back(service->forbidden_calls());
  for (const auto& service : services_) service->add_watched(events);
  control_.add_watched(events);
  if (poll_until(events, until) < 0 && errno != EINTR)
    throw SystemError("wait for events", errno);  // the events would be those of nobody
  std::size_t at = 1;
  for (const auto& service : services_)
    if (events[at++].revents != 0) service->take_wake();
  for (const auto& service : services_)
    if (events[at++].revents != 0) service->take_output();
  for (const auto& service : services_)
    if (events[at++].revents != 0) service->take_notices();
  for (const auto& service : services_)
    if (events[at++].revents != 0) service->answer_forbidden_calls();
  if (std::ranges::any_of(events, tells_end))
    for (const auto& service : services_)
      if (service->watches_listeners()) service->revive_listeners();
  control_.receive(events, Clock::now());
}

// One sleep, and no tick.
int Parent::run() {
  if (const unsigned threads = count_threads(); threads > 1)
    log_warning(
        text("the parent has ", threads,
             " threads, one of its own: a child that is forked while another thread holds a lock, of the "
             "memory or of the log, waits for it for ever; start threads in on_child_start()"));
  for (;;) {
    // Signals first: a child that ends after this sends another one. Then the dead children are reaped, so
    // that their slots are free and the counts are true.
    const std::vector<int> arrived = signals_.arrived();
    notice_pause(std::ranges::count(arrived, SIGCONT) > 0, Clock::now());
    reap();
    for (const int signal : arrived) obey(signal);
    control_.handle_requests(Clock::now());
    const Time now = Clock::now();
    notice_pause(false, now);  // it may have begun after the parent had woken
    const Time next = look(now);
    const Time next_of_control = control_.answer(Clock::now());
    if (ended()) return exit_code_;
    const Time until = std::min(next, next_of_control);
    pauses_.sleeps(Clock::now(), until);
    wait(until);
  }
}

}  // namespace brood
