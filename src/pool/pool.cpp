// SPDX-License-Identifier: MIT
#include "pool/pool.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <tuple>

#include "base/process.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_signals.hpp"
#include "pool/escalation.hpp"
#include "scoreboard/row_writing.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto continue_timeout = 1s;  // until a child that was continued runs

}  // namespace

bool Pool::start(std::uint32_t generation, bool replacement, ChildSignals signals, Time now,
                 const std::function<int(std::uint32_t)>& body) {
  const auto slot = children_.free_slot();
  if (!slot) {
    errno = EAGAIN;
    return false;
  }
  {
    const auto locked = lock_.take();
    scoreboard_.claim(*slot, generation, now);
  }
  const pid_t pid = spawn([&] { return body(*slot); });
  if (pid < 0) {
    const int error_number = errno;
    // No child has had the row: there is nothing to add up, and none is gone.
    scoreboard_.slot(*slot).lifecycle.store(Lifecycle{}.pack(), std::memory_order_release);
    scoreboard_.set_counted(*slot, false);
    errno = error_number;
    return false;
  }
  // Also here, so that the group exists when it is signalled. It fails if the child was first, and executes.
  if (signals.group) ::setpgid(pid, pid);
  children_[*slot] = {
      .pid = pid, .signals = signals, .generation = generation, .forked_at = now, .replacement = replacement};
  SlotOrders& orders = scoreboard_.writable_slot_orders(*slot);
  orders.started_by.store(scoreboard_.journal().last(), relaxed);
  orders.told_by.store(0, relaxed);
  const Writing writing(scoreboard_.service_orders().sequence);
  orders.pid.store(pid, relaxed);
  add(scoreboard_.service_orders().children_started, 1);
  return true;
}

void Pool::tell_to_leave(std::uint32_t slot, Reason reason, DecisionKind kind) {
  ChildRecord& child = children_[slot];
  if (child.told_to_leave) return;
  child.told_to_leave = true;
  child.leaving_since = Clock::now();
  // The order first: the signal only wakes.
  SlotOrders& orders = scoreboard_.writable_slot_orders(slot);
  orders.told_by.store(scoreboard_.journal().last(), relaxed);
  orders.reason.store(static_cast<std::uint32_t>(reason), relaxed);
  orders.end_cause.store(static_cast<std::uint32_t>(cause_of_order(slot, reason, kind)), relaxed);
  orders.order.store(Order::leave, std::memory_order_release);
  scoreboard_.set_counted(slot, false);
  send_signal(child.pid, child.signals.leave);
}

void Pool::retire(unsigned number, DecisionKind kind, std::uint32_t generation) {
  if (number == 0) return;
  const Reason reason = kind == DecisionKind::outdated ? Reason::recycle : Reason::surplus;
  struct Candidate {
    bool outdated, overtaken, idle;  // overtaken: a replacement that is to be replaced itself
    std::int64_t busy_since;         // 0: idle
    std::uint64_t accepted;
    std::uint32_t slot;
  };
  std::vector<Candidate> candidates;
  for (const std::uint32_t slot : children_.used()) {
    const ChildRecord& child = children_[slot];
    if (child.told_to_leave || child.stopped || rows_.lifecycle(slot).phase != Phase::serving) continue;
    const bool idle = rows_.is_idle(slot) && !rows_.is_busy(slot);
    const Candidate candidate{rows_.outdated(slot, generation),
                              child.replacement && child.generation != generation,
                              idle,
                              idle ? 0 : rows_[slot].since.load(relaxed),
                              rows_[slot].figures.accepted.load(relaxed),
                              slot};
    if (reason == Reason::surplus ? candidate.idle : candidate.outdated) candidates.push_back(candidate);
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(b.outdated, b.overtaken, b.idle, b.busy_since, b.accepted, a.slot) <
           std::tie(a.outdated, a.overtaken, a.idle, a.busy_since, a.accepted, b.slot);
  });
  candidates.resize(std::min<std::size_t>(candidates.size(), number));
  if (!candidates.empty())
    scoreboard_.journal().note({.kind = kind, .count = static_cast<std::uint32_t>(candidates.size())});
  for (const auto& candidate : candidates) tell_to_leave(candidate.slot, reason, kind);
}

void Pool::retire_all(Reason reason) {
  for (const std::uint32_t slot : children_.used()) retire_one(slot, reason);
}

// A child may be stopped in accept(): then it has a connection that its row does not show yet. Nobody can see
// that from outside, so no child is killed because its row looks idle. It is continued instead: it finishes
// what it has taken, and leaves.
void Pool::continue_to_leave(std::uint32_t slot, Reason reason) {
  tell_to_leave(slot, reason);
  children_[slot].continued_at = Clock::now();
  send_signal(children_[slot].pid, SIGCONT);
}

// It was continued and does not run: a debugger has it, or it was stopped again. Returns when that will be
// so; never: it runs.
Time Pool::end_if_still_stopped(std::uint32_t slot, const ChildTimeLimits& limits, Time now) {
  ChildRecord& child = children_[slot];
  if (!child.stopped || child.continued_at == Time{} || child.escalation != Escalation::none ||
      rows_.is_busy(slot))
    return never;
  const Time due = std::max(child.continued_at, limits.counted_from) + continue_timeout;
  if (now < due) return due;
  log_warning(
      text("child ", child.pid, " was continued so that it leaves, and is stopped still: it is killed"));
  note_end(slot, "being stopped");
  end_now(child, now);
  return never;
}

void Pool::retire_one(std::uint32_t slot, Reason reason) {
  if (children_[slot].stopped && !rows_.is_busy(slot))
    continue_to_leave(slot, reason);
  else
    tell_to_leave(slot, reason);
}

unsigned Pool::signal_all(int signal) const {
  const auto slots = children_.used();
  return static_cast<unsigned>(std::ranges::count_if(
      slots, [&](std::uint32_t slot) { return send_signal(children_[slot].pid, signal); }));
}

void Pool::end_replacements(unsigned number, const CensusRules& rules, Time now) {
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (number == 0) return;
    if (!child.replacement || rows_.lifecycle(slot).phase != Phase::serving ||
        rows_.outdated(slot, rules.generation) || may_still_fail(child, rules, now))
      continue;
    child.replacement = false;
    --number;
  }
}

// The one with the fewest open connections: it reacts soonest, and should have more.
void Pool::wake_idle_child() {
  pid_t chosen = 0;
  std::uint32_t fewest = UINT32_MAX;
  for (const std::uint32_t slot : children_.used()) {
    const ChildRecord& child = children_[slot];
    const std::uint32_t open = rows_[slot].open_connections.load(relaxed);
    if (child.stopped || child.told_to_leave || !rows_.is_idle(slot) || open >= fewest) continue;
    chosen = child.pid;
    fewest = open;
  }
  if (chosen != 0) send_signal(chosen, child_signals::look_again);
}

// A child that does not read just now restarts what the signal interrupts.
void Pool::interrupt_reads() const {
  for (const std::uint32_t slot : children_.used())
    if (!children_[slot].stopped && rows_[slot].reading.load(relaxed) > 0 &&
        rows_.lifecycle(slot).phase == Phase::serving)
      send_signal(children_[slot].pid, child_signals::look_again);
}

void Pool::free_row(std::uint32_t slot) const {
  const auto locked = lock_.take();
  scoreboard_.free(slot);
}

unsigned Pool::note_progress(const CensusRules& rules, Time now) {
  unsigned newly_proven = 0;
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (rules.max_lifetime > Clock::duration::zero() && now - child.forked_at >= rules.max_lifetime)
      child.expired = true;
    if (child.proven) continue;
    if (child.ready_at == Time{} && rows_.lifecycle(slot).phase == Phase::serving) child.ready_at = now;
    child.proven = rows_.has_finished_one(slot, now) ||
                   (child.ready_at != Time{} && now - child.ready_at >= rules.proven_after);
    if (child.proven && child.generation == rules.generation) ++newly_proven;
  }
  return newly_proven;
}

Findings Pool::audit(Time now) {
  Findings findings;
  // Without the lock, a phase may change at this moment.
  if (const auto locked = lock_.take()) findings = brood::audit(scoreboard_, children_, now);
  for (const std::uint32_t slot : findings.damaged) {
    scoreboard_.journal().note(
        {.kind = DecisionKind::damaged, .count = 1, .pid = children_[slot].pid, .slot = slot});
    tell_to_leave(slot, Reason::damaged);
  }
  add(scoreboard_.service_orders().mended, findings.mended + findings.damaged.size());
  return findings;
}

ChildCensus Pool::census(const CensusRules& rules, Time now) const {
  const auto locked = lock_.take();
  return count_children(scoreboard_, rows_, children_, rules, now);
}

unsigned Pool::count_busy() const {
  unsigned busy = 0;
  for (std::uint32_t slot = 0; slot < children_.slots(); ++slot)
    if (children_[slot].pid != 0 && rows_.is_busy(slot)) ++busy;
  return busy;
}

std::uint64_t Pool::connections_aborted() const { return scoreboard_.service().gone.aborted.load(relaxed); }

Crash Pool::crash_of(std::uint32_t slot, int signal) const {
  const SlotSnapshot row = rows_.view(slot, Clock::now());
  const bool busy = row.open_connections > 0;
  return {.time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()),
          .pid = children_[slot].pid,
          .signal = signal,
          .peer = busy ? row.peer : "",
          .note = busy ? row.note : "",
          .busy_for = row.busy_for,
          .open_connections = row.open_connections,
          .finished = row.figures.finished,
          .evidence = scoreboard_.evidence_left(slot)};
}

ChildEnd Pool::reaped(std::uint32_t slot, int code, int status, bool reports, bool has_served) {
  const ChildRecord child = children_[slot];
  const std::string open_connections = rows_.serving(slot);
  const bool used = has_served || rows_[slot].figures.accepted.load(relaxed) > 0;
  // Nobody kills itself so in its start: it was ready and idle, and was killed from outside.
  const bool killed_idle = reports && child.ready_at != Time{} && open_connections.empty() &&
                           code == CLD_KILLED && status == SIGKILL;
  const bool well = code == CLD_EXITED && status == 0;
  // A program may have no handler for that signal.
  const bool retired = child.told_to_leave && code != CLD_EXITED && status == child.signals.leave;
  // It left as it was told, or by itself, or the parent killed it while it had no open connection.
  const bool by_itself = has_served || (used && rows_.leaves_by_itself(slot));
  const bool as_asked = (well && (child.told_to_leave || by_itself)) ||
                        (retired && open_connections.empty()) ||
                        (child.escalation == Escalation::killed && open_connections.empty());
  ChildEnd end{.asked = child.told_to_leave || child.escalation != Escalation::none,
               .failed = !as_asked,
               .used = used,
               .proven = child.proven || has_served || killed_idle,
               .ready = rows_.lifecycle(slot).phase != Phase::starting,
               .exit_code = code == CLD_EXITED ? status : -1};
  const std::string line = text("child ", child.pid, " ", how_it_ended(code, status), open_connections);
  if (as_asked)
    log_debug(line);
  else
    log_warning(text(line, !end.asked && !end.used ? ", before its first connection" : ""));
  if (!as_asked && code != CLD_EXITED) end.crash = crash_of(slot, status);
  // Killed from outside while it was idle: there is nothing to report.
  if (end.crash && end.crash->evidence.signal == 0 && (end.asked || open_connections.empty()))
    end.crash.reset();
  ServiceOrders& orders = scoreboard_.service_orders();
  note_gone(slot, code, status, !as_asked);
  if (!as_asked) add(orders.children_failed, 1);
  if (child.escalation == Escalation::lost) orders.lost.store(orders.lost.load(relaxed) - 1, relaxed);
  if (child.stopped) stopped(slot, false);
  free_row(slot);
  children_[slot] = {};
  return end;
}

void Pool::ready(pid_t sender) {
  auto slot = children_.find(sender);
  // A helper of the program's may have said it. -1: that one has ended.
  if (const pid_t leader = ::getpgid(sender); !slot && leader > 0) slot = children_.find(leader);
  if (!slot || rows_.lifecycle(*slot).phase != Phase::starting) return;
  const auto locked = lock_.take();
  scoreboard_.serve(*slot, children_[*slot].pid, 1);
}

void Pool::stopped(std::uint32_t slot, bool is_stopped) {
  ChildRecord& child = children_[slot];
  if (child.stopped == is_stopped) return;
  child.stopped = is_stopped;
  scoreboard_.writable_slot_orders(slot).stopped.store(is_stopped ? 1 : 0, relaxed);
  scoreboard_.set_counted(slot, !is_stopped && !child.told_to_leave);
  if (is_stopped)
    log_warning(text("child ", child.pid, " was stopped", rows_.serving(slot),
                     "; it is no spare until it continues"));
}

std::vector<ChildRecord> Pool::remove_detached() {
  std::vector<ChildRecord> detached;
  for (const std::uint32_t slot : children_.used()) {
    const Lifecycle body = rows_.lifecycle(slot);
    if (body.phase != Phase::leaving || body.reason != Reason::detached) continue;
    // Another child may have written it, since the last audit.
    if (body.seal != seal_of(scoreboard_.slot_orders(slot).incarnation.load(relaxed), slot)) continue;
    if (children_[slot].escalation == Escalation::lost) continue;
    if (children_[slot].stopped) stopped(slot, false);
    note_gone(slot, CLD_EXITED, 0, false);
    detached.push_back(children_[slot]);
    free_row(slot);
    children_[slot] = {};
  }
  return detached;
}

void Pool::release_stopped() {
  for (const std::uint32_t slot : children_.used()) {
    const ChildRecord& child = children_[slot];
    if (!child.stopped || child.continued_at != Time{} || rows_.is_busy(slot) ||
        child.escalation != Escalation::none)
      continue;
    log_warning(
        text("child ", child.pid,
             " is stopped, and max-clients leaves no room for another: it is continued, and told to leave"));
    scoreboard_.journal().note(
        {.kind = DecisionKind::surplus, .count = 1, .pid = child.pid, .slot = slot, .word = "stopped"});
    continue_to_leave(slot, Reason::surplus);
  }
}

}  // namespace brood
