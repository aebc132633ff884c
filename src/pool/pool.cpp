// SPDX-License-Identifier: MIT
#include "pool/pool.hpp"

#include <sys/wait.h>

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

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto start_timeout = 60s;    // for on_child_start()
constexpr auto continue_timeout = 1s;  // until a child that was continued runs

}  // namespace

Pool::Pool(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index)
    : scoreboard_(scoreboard),
      lock_(lock),
      index_(index),
      children_(scoreboard.service(index).slot_count),
      rows_(scoreboard, index, children_) {}

bool Pool::start(std::uint32_t generation, bool replacement, Time now,
                 const std::function<int(std::uint32_t)>& body) {
  const auto slot = children_.free_slot();
  if (!slot) {
    errno = EAGAIN;
    return false;
  }
  const std::uint32_t row = rows_.row(*slot);
  {
    const auto locked = lock_.take();
    scoreboard_.claim(row, generation, now);
  }
  const pid_t pid = spawn([&] { return body(row); });
  if (pid < 0) {
    const int error_number = errno;
    {
      const auto locked = lock_.take();
      scoreboard_.free(index_, row);
    }
    errno = error_number;
    return false;
  }
  children_[*slot] = {.pid = pid, .generation = generation, .forked_at = now, .replacement = replacement};
  scoreboard_.writable_slot_orders(row).pid.store(pid, relaxed);
  add(scoreboard_.service_orders(index_).children_started, 1);
  return true;
}

void Pool::tell_to_leave(std::uint32_t slot, Reason reason) {
  ChildRecord& child = children_[slot];
  if (child.told_to_leave) return;
  child.told_to_leave = true;
  child.leaving_since = Clock::now();
  // The order first: the signal only wakes.
  SlotOrders& orders = scoreboard_.writable_slot_orders(rows_.row(slot));
  orders.reason.store(static_cast<std::uint32_t>(reason), relaxed);
  orders.order.store(Order::leave, std::memory_order_release);
  ::kill(child.pid, child_signals::retire);
}

void Pool::retire(unsigned number, Reason reason, std::uint32_t generation) {
  if (number == 0) return;
  struct Candidate {
    bool outdated, idle;
    std::uint64_t accepted;
    std::uint32_t slot;
  };
  std::vector<Candidate> candidates;
  for (const std::uint32_t slot : children_.used()) {
    const ChildRecord& child = children_[slot];
    if (child.told_to_leave || child.stopped || rows_.lifecycle(slot).phase != Phase::serving) continue;
    const Candidate candidate{rows_.outdated(slot, generation), rows_.is_idle(slot) && !rows_.is_busy(slot),
                              rows_[slot].figures.accepted.load(relaxed), slot};
    if (reason == Reason::surplus ? candidate.idle : candidate.outdated) candidates.push_back(candidate);
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(b.outdated, b.idle, b.accepted, a.slot) <
           std::tie(a.outdated, a.idle, a.accepted, b.slot);
  });
  candidates.resize(std::min<std::size_t>(candidates.size(), number));
  for (const auto& candidate : candidates) tell_to_leave(candidate.slot, reason);
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
  ::kill(children_[slot].pid, SIGCONT);
}

// It was continued and does not run: a debugger has it, or it was stopped again. Returns when that will be
// so; never: it runs.
Time Pool::end_if_still_stopped(std::uint32_t slot, Time now) {
  ChildRecord& child = children_[slot];
  if (!child.stopped || child.continued_at == Time{} || child.escalation != Escalation::none ||
      rows_.is_busy(slot))
    return never;
  const Time due = child.continued_at + continue_timeout;
  if (now < due) return due;
  log_warning(
      text("child ", child.pid, " was continued so that it leaves, and is stopped still: it is killed"));
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
      slots, [&](std::uint32_t slot) { return ::kill(children_[slot].pid, signal) == 0; }));
}

void Pool::end_replacements(unsigned number) {
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (number == 0) return;
    if (!child.replacement || rows_.lifecycle(slot).phase != Phase::serving) continue;
    child.replacement = false;
    --number;
  }
}

// A child without open connections if there is one: it reacts at once.
void Pool::wake_idle_child() {
  pid_t chosen = 0;
  for (const std::uint32_t slot : children_.used()) {
    const ChildRecord& child = children_[slot];
    if (child.stopped || child.told_to_leave || !rows_.is_idle(slot)) continue;
    if (chosen == 0 || !rows_.is_busy(slot)) chosen = child.pid;
    if (!rows_.is_busy(slot)) break;
  }
  if (chosen != 0) ::kill(chosen, child_signals::look_again);
}

void Pool::free_row(std::uint32_t slot) const {
  const auto locked = lock_.take();
  scoreboard_.free(index_, rows_.row(slot));
}

ChildCensus Pool::census(const CensusRules& rules, Time now) const {
  const auto locked = lock_.take();
  return count_children(scoreboard_, index_, rows_, children_, rules, now);
}

std::uint64_t Pool::connections_aborted() const {
  return scoreboard_.service(index_).gone.aborted.load(relaxed);
}

ChildEnd Pool::reaped(std::uint32_t slot, int code, int status, bool has_served) {
  const ChildRecord child = children_[slot];
  const std::string open_connections = rows_.serving(slot);
  const bool proven = has_served || rows_[slot].figures.accepted.load(relaxed) > 0;
  const bool well = code == CLD_EXITED && status == 0;
  // A program may have no handler for that signal.
  const bool retired = child.told_to_leave && code == CLD_KILLED && status == child_signals::retire;
  // It left as it was told, or by itself, or the parent killed it while it had no open connection.
  const bool by_itself = has_served || (proven && rows_.leaves_by_itself(slot));
  const bool as_asked = (well && (child.told_to_leave || by_itself)) ||
                        (retired && open_connections.empty()) ||
                        (child.escalation == Escalation::killed && open_connections.empty());
  const ChildEnd end{.asked = child.told_to_leave || child.escalation != Escalation::none,
                     .failed = !as_asked,
                     .proven = proven,
                     .exit_code = code == CLD_EXITED ? status : -1};
  const std::string line = text("child ", child.pid, " ", how_it_ended(code, status), open_connections);
  if (as_asked)
    log_debug(line);
  else
    log_warning(text(line, !end.asked && !end.proven ? ", before its first connection" : ""));
  ServiceOrders& orders = scoreboard_.service_orders(index_);
  if (!as_asked) add(orders.children_failed, 1);
  if (child.escalation == Escalation::lost) orders.lost.store(orders.lost.load(relaxed) - 1, relaxed);
  if (child.stopped) stopped(slot, false);
  free_row(slot);
  children_[slot] = {};
  return end;
}

void Pool::stopped(std::uint32_t slot, bool is_stopped) {
  ChildRecord& child = children_[slot];
  if (child.stopped == is_stopped) return;
  child.stopped = is_stopped;
  scoreboard_.writable_slot_orders(rows_.row(slot)).stopped.store(is_stopped ? 1 : 0, relaxed);
  if (is_stopped)
    log_warning(text("child ", child.pid, " was stopped", rows_.serving(slot),
                     "; it is no spare until it continues"));
}

void Pool::escalate(std::uint32_t slot, const char* why, Time now) {
  ChildRecord& child = children_[slot];
  brood::escalate(child, rows_.serving(slot), why, now);
  if (child.escalation == Escalation::lost) add(scoreboard_.service_orders(index_).lost, 1);
}

// When a child is ended, whatever it does: with a connection, on its way in, and on its way out.
Pool::Limit Pool::limit_of(std::uint32_t slot, const ChildTimeLimits& limits, Time now) const {
  const ChildRecord& child = children_[slot];
  if (rows_.is_busy(slot))
    return limits.connection == 0ms
               ? Limit{}
               : Limit{now - rows_.view(slot).busy_for + limits.connection, "connection-timeout"};
  // Its last connection may have ended later than it was told to leave.
  if (child.leaving_since != Time{})
    return limits.leave == 0ms
               ? Limit{}
               : Limit{std::max(child.leaving_since, rows_.idle_since(slot, now)) + limits.leave,
                       limits.leave_setting};
  if (rows_.lifecycle(slot).phase == Phase::starting)
    return {child.forked_at + start_timeout, "its time to start"};
  return {};
}

Pool::Overdue Pool::end_overdue(const ChildTimeLimits& limits, Time now) {
  Overdue overdue;
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (child.escalation == Escalation::lost) continue;
    if (child.leaving_since == Time{} && rows_.lifecycle(slot).phase == Phase::leaving)
      child.leaving_since = now;
    overdue.next = std::min(overdue.next, end_if_still_stopped(slot, now));
    const auto [due_first, why] = limit_of(slot, limits, now);
    Time due = child.escalation == Escalation::none ? due_first : child.escalated_at + escalation_interval;
    if (due <= now) {
      if (child.escalation == Escalation::none && rows_.is_busy(slot))
        add(scoreboard_.service_orders(index_).connection_timeouts, 1);
      escalate(slot, why, now);
      overdue.escalated = true;
      due = child.escalation == Escalation::lost ? never : now + escalation_interval;
    }
    overdue.next = std::min(overdue.next, due);
  }
  return overdue;
}

std::vector<ChildRecord> Pool::remove_detached() {
  std::vector<ChildRecord> detached;
  for (const std::uint32_t slot : children_.used()) {
    const Lifecycle body = rows_.lifecycle(slot);
    if (body.phase != Phase::leaving || body.reason != Reason::detached) continue;
    if (children_[slot].escalation == Escalation::lost) continue;
    if (children_[slot].stopped) stopped(slot, false);
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
    continue_to_leave(slot, Reason::surplus);
  }
}

void Pool::kill_all(const char* why) {
  const Time now = Clock::now();
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (child.escalation == Escalation::killed || child.escalation == Escalation::lost) continue;
    if (rows_.is_busy(slot))
      log_warning(
          text("child ", child.pid, rows_.serving(slot), ": ", std::string_view(why), "; it is killed"));
    end_now(child, now);
  }
}

}  // namespace brood
