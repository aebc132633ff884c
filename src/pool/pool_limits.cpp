// SPDX-License-Identifier: MIT
// Children that take too long, and what is left of them.
#include <sys/wait.h>

#include <csignal>

#include "base/text.hpp"
#include "brood/log.hpp"
#include "pool/escalation.hpp"
#include "pool/pool.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto start_timeout = 60s;  // for on_child_start()

}  // namespace

// What has outlived the signal that has ended the child.
void Pool::before_reaped(std::uint32_t slot) const {
  const ChildRecord& child = children_[slot];
  if (child.signals.group && child.escalation != Escalation::none) send_to_all(child, SIGKILL);
}

void Pool::escalate(std::uint32_t slot, const char* why, Time now) {
  ChildRecord& child = children_[slot];
  if (child.escalation == Escalation::none) note_end(slot, why);
  brood::escalate(child, rows_.serving(slot), why, now);
  scoreboard_.set_counted(slot, false);
  if (child.escalation == Escalation::lost) add(scoreboard_.service_orders().lost, 1);
}

// When a child is ended, whatever it does: with a connection, on its way in, and on its way out.
Pool::Limit Pool::limit_of(std::uint32_t slot, const ChildTimeLimits& limits, Time now) const {
  const ChildRecord& child = children_[slot];
  const auto counted = [&](Time since) { return std::max(since, limits.counted_from); };
  if (rows_.is_busy(slot)) {
    if (limits.connection == 0ms) return {};
    const Time due = std::max(counted(now - rows_.view(slot, now).busy_for) + limits.connection,
                              rows_.extended_until(slot, now));
    return {due + limits.connection_grace, "connection-timeout"};
  }
  // Its last connection may have ended later than it was told to leave.
  if (child.leaving_since != Time{})
    return limits.leave == 0ms
               ? Limit{}
               : Limit{counted(std::max(child.leaving_since, rows_.idle_since(slot, now))) + limits.leave,
                       limits.leave_setting};
  if (rows_.lifecycle(slot).phase == Phase::starting)
    return {counted(child.forked_at) + start_timeout, "its time to start"};
  return {};
}

Pool::Overdue Pool::end_overdue(const ChildTimeLimits& limits, Time now) {
  Overdue overdue{.next = lock_.due()};
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (child.escalation == Escalation::lost) continue;
    if (child.leaving_since == Time{} && rows_.lifecycle(slot).phase == Phase::leaving)
      child.leaving_since = now;
    overdue.next = std::min(overdue.next, end_if_still_stopped(slot, limits, now));
    const auto [due_first, why] = limit_of(slot, limits, now);
    Time due = child.escalation == Escalation::none
                   ? due_first
                   : std::max(child.escalated_at, limits.counted_from) + escalation_interval;
    if (due <= now) {
      if (child.escalation == Escalation::none && rows_.is_busy(slot))
        add(scoreboard_.service_orders().connection_timeouts, 1);
      escalate(slot, why, now);
      overdue.escalated = true;
      due = child.escalation == Escalation::lost ? never : now + escalation_interval;
    }
    overdue.next = std::min(overdue.next, due);
  }
  return overdue;
}

Pool::Slow Pool::find_slow(std::chrono::milliseconds timeout, Time counted_from, Time now) {
  Slow slow;
  if (timeout == 0ms) return slow;
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (!rows_.is_busy(slot) || child.stopped || child.escalation != Escalation::none) continue;
    const Time since = rows_.since(slot);
    if (since == child.slow_since) continue;
    const Time due = std::max(since, counted_from) + timeout;
    if (due > now) {
      slow.next = std::min(slow.next, due);
      continue;
    }
    child.slow_since = since;
    slow.found.push_back({.pid = child.pid, .slot = slot, .since = since, .serving = rows_.serving(slot)});
  }
  return slow;
}

bool Pool::still_serves(const SlowConnection& slow) const {
  return children_[slow.slot].pid == slow.pid && rows_.is_busy(slow.slot) &&
         rows_.since(slow.slot) == slow.since;
}

void Pool::note_end(std::uint32_t slot, std::string_view why) const {
  const std::uint64_t number = scoreboard_.journal().note(
      {.kind = DecisionKind::end, .count = 1, .pid = children_[slot].pid, .slot = slot, .word = why});
  scoreboard_.writable_slot_orders(slot).told_by.store(number, relaxed);
}

EndCause Pool::cause_of_order(std::uint32_t slot, Reason reason, DecisionKind kind) const {
  const Lifecycle body = rows_.lifecycle(slot);
  switch (reason) {
    case Reason::recycle:
      if (body.asks && body.reason == Reason::cap) return EndCause::requests;
      if (body.asks && body.reason == Reason::memory) return EndCause::memory;
      return children_[slot].expired ? EndCause::age : EndCause::outdated;
    case Reason::retire:
      return EndCause::retire;
    case Reason::pause:
      return EndCause::pause;
    case Reason::stop:
      return EndCause::stop;
    case Reason::damaged:
      return EndCause::damaged;
    default:
      return kind == DecisionKind::idle ? EndCause::idle : EndCause::surplus;
  }
}

// What the child says of itself decides only where nothing else does.
EndCause Pool::cause_of_end(std::uint32_t slot, int code, int status) const {
  const ChildRecord& child = children_[slot];
  if (child.escalation != Escalation::none) return EndCause::killed;
  const bool exits = code == CLD_EXITED;
  const Lifecycle body = rows_.lifecycle(slot);
  const bool leaves_well = exits && status == 0 && body.phase == Phase::leaving;
  if (leaves_well && body.reason == Reason::detached) return EndCause::detached;
  if (child.told_to_leave && (exits ? status == 0 : status == child.signals.leave))
    return static_cast<EndCause>(scoreboard_.slot_orders(slot).end_cause.load(relaxed));
  if (leaves_well && body.reason == Reason::own_stop) return EndCause::own_stop;
  if (!exits) return EndCause::signal;
  return status == 0 ? EndCause::unasked : EndCause::exit_code;
}

void Pool::note_gone(std::uint32_t slot, int code, int status, bool failed) const {
  const ChildRecord& child = children_[slot];
  const SlotOrders& orders = scoreboard_.slot_orders(slot);
  const Reason told =
      child.told_to_leave ? static_cast<Reason>(orders.reason.load(relaxed)) : rows_.lifecycle(slot).reason;
  scoreboard_.journal().note(
      {.pid = child.pid, .slot = slot, .reason = told, .code = code, .status = status, .failed = failed},
      rows_[slot], orders);
  const EndCause cause = cause_of_end(slot, code, status);
  scoreboard_.writable_slot_orders(slot).end_cause.store(static_cast<std::uint32_t>(cause), relaxed);
}

void Pool::kill_all(const char* why) {
  const Time now = Clock::now();
  for (const std::uint32_t slot : children_.used()) {
    ChildRecord& child = children_[slot];
    if (child.escalation == Escalation::killed || child.escalation == Escalation::lost) continue;
    if (rows_.is_busy(slot))
      log_warning(
          text("child ", child.pid, rows_.serving(slot), ": ", std::string_view(why), "; it is killed"));
    note_end(slot, why);
    end_now(child, now);
  }
}

}  // namespace brood
