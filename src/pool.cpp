// SPDX-License-Identifier: MIT
#include "pool.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <tuple>

#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child_signals.hpp"
#include "slot_reader.hpp"
#include "spawner.hpp"
#include "text.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto ending_patience = 5s;    // between ABRT, KILL and "lost"
constexpr auto passage_patience = 60s;  // for on_child_start() and on_child_exit()

std::string how_it_ended(int code, int status) {
  if (code == CLD_EXITED) return text("exited with code ", status);
  return text("was killed by signal ", status, " (", std::string_view(::strsignal(status)), ")",
              code == CLD_DUMPED ? ", core dumped" : "");
}

}  // namespace

Pool::Pool(const Scoreboard& scoreboard, const ParentLock& lock, std::uint32_t index)
    : scoreboard_(scoreboard),
      lock_(lock),
      index_(index),
      first_slot_(scoreboard.service(index).first_slot),
      children_(scoreboard.service(index).slot_count) {}

bool Pool::start(std::uint32_t generation, bool replacement, Time now,
                 const std::function<int(std::uint32_t)>& life) {
  const auto slot = children_.free_slot();
  if (!slot) {
    errno = EAGAIN;
    return false;
  }
  const std::uint32_t row = on_table(*slot);
  lock_.change([&] { scoreboard_.claim(row, generation, now); });
  const pid_t pid = spawn([&] { return life(row); });
  if (pid < 0) {
    const int error_number = errno;
    lock_.change([&] { scoreboard_.free(index_, row); });
    errno = error_number;
    return false;
  }
  children_[*slot] = {.pid = pid, .generation = generation, .forked_at = now, .replacement = replacement};
  scoreboard_.writable_slot_orders(row).pid.store(pid, relaxed);
  add(scoreboard_.service_orders(index_).children_started, 1);
  return true;
}

SlotSnapshot Pool::view(std::uint32_t slot) const {
  const std::uint32_t row = on_table(slot);
  return read_slot(scoreboard_.slot(row), scoreboard_.slot_orders(row), scoreboard_.is_idle(row), slot,
                   Clock::now());
}

Lifecycle Pool::lifecycle(std::uint32_t slot) const {
  return Lifecycle::unpack(scoreboard_.slot(on_table(slot)).lifecycle.load(std::memory_order_acquire));
}

bool Pool::outdated(std::uint32_t slot, std::uint32_t generation) const {
  return children_[slot].generation != generation || lifecycle(slot).asks;
}

bool Pool::is_busy(std::uint32_t slot) const {
  return scoreboard_.slot(on_table(slot)).in_hand.load(relaxed) > 0;
}

Census Pool::census(std::uint32_t generation, std::chrono::milliseconds idle_timeout, Time now) const {
  Census census;
  for (std::uint32_t slot = 0; slot < children_.slots(); ++slot) {  // under the lock: nothing allocates
    const ChildRecord& child = children_[slot];
    if (child.pid == 0) continue;
    ++census.total;
    if (child.told_to_leave) {
      ++census.leaving;
      if (!is_busy(slot)) ++census.leaving_idle;
      continue;
    }
    if (child.stopped || child.ending != Ending::none) continue;
    const Phase phase = lifecycle(slot).phase;
    if (phase == Phase::leaving) {
      ++census.leaving;
      continue;
    }
    if (phase != Phase::serving) {
      ++census.starting;
      if (child.replacement) ++census.replacements_starting;
      continue;
    }
    const bool idle = scoreboard_.is_idle(on_table(slot));
    if (idle) ++census.idle;
    if (idle && is_busy(slot)) ++census.engaged;
    if (idle && !is_busy(slot) && idle_timeout > 0ms) {
      const Time expiry = idle_since(slot, now) + idle_timeout;
      if (expiry <= now) ++census.expired;
      if (expiry > now) census.next_expiry = std::min(census.next_expiry, expiry);
    }
    if (child.replacement) ++census.replacements_ready;
    if (outdated(slot, generation)) ++(idle ? census.outdated_idle : census.outdated_busy);
  }
  return census;
}

void Pool::tell_to_leave(std::uint32_t slot, Reason reason) {
  ChildRecord& child = children_[slot];
  if (child.told_to_leave) return;
  child.told_to_leave = true;
  child.told_at = Clock::now();
  // The order first: the signal only wakes.
  SlotOrders& orders = scoreboard_.writable_slot_orders(on_table(slot));
  orders.reason.store(static_cast<std::uint32_t>(reason), relaxed);
  orders.order.store(Order::leave, std::memory_order_release);
  ::kill(child.pid, child_signals::retire);
}

void Pool::retire(unsigned number, Reason reason, std::uint32_t generation) {
  if (number == 0) return;
  struct Candidate {
    bool outdated, idle;
    std::uint64_t behind_it;
    std::uint32_t slot;
  };
  std::vector<Candidate> candidates;
  for (const std::uint32_t slot : children_.taken()) {
    const ChildRecord& child = children_[slot];
    if (child.told_to_leave || child.stopped || lifecycle(slot).phase != Phase::serving) continue;
    const Candidate candidate{outdated(slot, generation),
                              scoreboard_.is_idle(on_table(slot)) && !is_busy(slot),
                              scoreboard_.slot(on_table(slot)).figures.accepted.load(relaxed), slot};
    if (reason == Reason::surplus ? candidate.idle : candidate.outdated) candidates.push_back(candidate);
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(b.outdated, b.idle, b.behind_it, a.slot) <
           std::tie(a.outdated, a.idle, a.behind_it, b.slot);
  });
  candidates.resize(std::min<std::size_t>(candidates.size(), number));
  for (const auto& candidate : candidates) tell_to_leave(candidate.slot, reason);
}

void Pool::retire_all(Reason reason) {
  for (const std::uint32_t slot : children_.taken()) {
    tell_to_leave(slot, reason);
    // Stopped, it hears of nothing but this; with nothing in hand nobody misses it.
    if (children_[slot].stopped && !is_busy(slot)) ::kill(children_[slot].pid, SIGKILL);
  }
}

void Pool::redeem(unsigned replacements) {
  for (const std::uint32_t slot : children_.taken()) {
    ChildRecord& child = children_[slot];
    if (replacements == 0) return;
    if (!child.replacement || lifecycle(slot).phase != Phase::serving) continue;
    child.replacement = false;
    --replacements;
  }
}

// One that has nothing in hand, if there is one: it hears it at once.
void Pool::nudge() {
  pid_t chosen = 0;
  for (const std::uint32_t slot : children_.taken()) {
    const ChildRecord& child = children_[slot];
    if (child.stopped || child.told_to_leave || !scoreboard_.is_idle(on_table(slot))) continue;
    if (chosen == 0 || !is_busy(slot)) chosen = child.pid;
    if (!is_busy(slot)) break;
  }
  if (chosen != 0) ::kill(chosen, child_signals::nudge);
}

std::string Pool::serving(std::uint32_t slot) const {
  const SlotSnapshot child = view(slot);
  if (child.in_hand == 0) return "";
  return text(" while serving ", child.peer, child.note.empty() ? "" : " '" + child.note + "'", " for ",
              child.busy_for, child.in_hand > 1 ? text(" and ", child.in_hand - 1, " others") : "");
}

Death Pool::reaped(std::uint32_t slot, int code, int status) {
  const ChildRecord child = children_[slot];
  const std::string in_hand = serving(slot);
  const bool by_itself = code == CLD_EXITED;
  const Death death{.asked = child.told_to_leave || child.ending != Ending::none,
                    .proven = scoreboard_.slot(on_table(slot)).figures.accepted.load(relaxed) > 0,
                    .exit_code = by_itself ? status : -1};
  // As it was told to, or killed by us with nothing in hand.
  const bool as_asked = (child.told_to_leave && by_itself && status == 0) ||
                        (child.ending == Ending::killed && in_hand.empty());
  const std::string line = text("child ", child.pid, " ", how_it_ended(code, status), in_hand);
  if (as_asked)
    log_debug(line);
  else
    log_warning(text(line, !death.asked && !death.proven ? ", before its first connection" : ""));
  ServiceOrders& orders = scoreboard_.service_orders(index_);
  if (!as_asked) add(orders.children_failed, 1);
  if (child.ending == Ending::lost) orders.lost.store(orders.lost.load(relaxed) - 1, relaxed);
  if (child.stopped) stopped(slot, false);
  lock_.change([&] { scoreboard_.free(index_, on_table(slot)); });
  children_[slot] = {};
  return death;
}

void Pool::stopped(std::uint32_t slot, bool is_stopped) {
  ChildRecord& child = children_[slot];
  if (child.stopped == is_stopped) return;
  child.stopped = is_stopped;
  scoreboard_.writable_slot_orders(on_table(slot)).stopped.store(is_stopped ? 1 : 0, relaxed);
  if (is_stopped)
    log_warning(
        text("child ", child.pid, " was stopped", serving(slot), "; it is no spare until it continues"));
}

void Pool::escalate(std::uint32_t slot, const char* why, Time now) {
  ChildRecord& child = children_[slot];
  child.ending_at = now;
  switch (child.ending) {
    case Ending::none:
      log_warning(
          text("child ", child.pid, serving(slot), ": beyond ", std::string_view(why), "; it gets SIGABRT"));
      child.ending = Ending::aborted;
      ::kill(child.pid, SIGABRT);
      return;
    case Ending::aborted:
      log_warning(text("child ", child.pid, serving(slot), ": ", std::string_view(why), "; it is killed"));
      child.ending = Ending::killed;
      ::kill(child.pid, SIGKILL);
      return;
    case Ending::killed:
      log_error(text("child ", child.pid, " can't be ended: SIGKILL had no effect for ", ending_patience,
                     ", it may hang in the kernel; it counts against max-clients and is not waited for"));
      child.ending = Ending::lost;
      add(scoreboard_.service_orders(index_).lost, 1);
      return;
    case Ending::lost:
      return;
  }
}

// Beyond what a child is ended, whatever it does: with a connection, on its way in, and on its way out.
Pool::Limit Pool::limit_of(std::uint32_t slot, std::chrono::milliseconds timeout, Time now) const {
  const ChildRecord& child = children_[slot];
  if (is_busy(slot))
    return timeout == 0ms ? Limit{} : Limit{now - view(slot).busy_for + timeout, "connection-timeout"};
  if (child.told_to_leave) return {child.told_at + passage_patience, "its time to leave"};
  if (lifecycle(slot).phase == Phase::starting)
    return {child.forked_at + passage_patience, "its time to start"};
  return {};
}

Time Pool::end_overdue(std::chrono::milliseconds timeout, Time now) {
  Time next = never;
  for (const std::uint32_t slot : children_.taken()) {
    const ChildRecord& child = children_[slot];
    if (child.ending == Ending::lost) continue;
    const auto [due_first, why] = limit_of(slot, timeout, now);
    Time due = child.ending == Ending::none ? due_first : child.ending_at + ending_patience;
    if (due <= now) {
      if (child.ending == Ending::none && is_busy(slot))
        add(scoreboard_.service_orders(index_).connection_timeouts, 1);
      escalate(slot, why, now);
      due = child.ending == Ending::lost ? never : now + ending_patience;
    }
    next = std::min(next, due);
  }
  return next;
}

void Pool::kill_stopped() {
  for (const std::uint32_t slot : children_.taken()) {
    ChildRecord& child = children_[slot];
    if (!child.stopped || is_busy(slot) || child.ending != Ending::none) continue;
    log_warning(
        text("child ", child.pid, " is stopped, and max-clients leaves no room for another: it is killed"));
    child.ending = Ending::killed;
    child.ending_at = Clock::now();
    ::kill(child.pid, SIGKILL);
  }
}

void Pool::kill_all(const char* why) {
  const Time now = Clock::now();
  for (const std::uint32_t slot : children_.taken()) {
    ChildRecord& child = children_[slot];
    if (child.ending == Ending::killed || child.ending == Ending::lost) continue;
    if (is_busy(slot))
      log_warning(text("child ", child.pid, serving(slot), ": ", std::string_view(why), "; it is killed"));
    child.ending = Ending::killed;
    child.ending_at = now;
    ::kill(child.pid, SIGKILL);
  }
}

std::uint64_t Pool::accepted() const {
  std::uint64_t sum = scoreboard_.service(index_).gone.accepted.load(relaxed);
  for (const std::uint32_t slot : children_.taken())
    sum += scoreboard_.slot(on_table(slot)).figures.accepted.load(relaxed);
  return sum;
}

bool Pool::proven_since(Time time, Clock::duration trial, Time now) const {
  return std::ranges::any_of(children_.taken(), [&](std::uint32_t slot) {
    const ChildRecord& child = children_[slot];
    const Figures& figures = scoreboard_.slot(on_table(slot)).figures;
    const bool good = figures.finished.load(relaxed) > 0 ||
                      (figures.accepted.load(relaxed) > 0 && now - child.forked_at >= trial);
    return good && child.forked_at > time;
  });
}

bool Pool::any_serving() const {
  return std::ranges::any_of(children_.taken(),
                             [&](std::uint32_t slot) { return lifecycle(slot).phase == Phase::serving; });
}

// What the child says, within its life.
Time Pool::idle_since(std::uint32_t slot, Time now) const {
  const Time said{std::chrono::nanoseconds(scoreboard_.slot(on_table(slot)).since.load(relaxed))};
  return std::clamp(said, children_[slot].forked_at, std::max(now, children_[slot].forked_at));
}

bool Pool::is_full(std::uint32_t slot) const {
  const Slot& row = scoreboard_.slot(on_table(slot));
  return row.in_hand.load(relaxed) >= std::max(row.room.load(relaxed), 1U);
}

bool Pool::none_accepts() const {
  return std::ranges::all_of(children_.taken(), [&](std::uint32_t slot) {
    return is_full(slot) || children_[slot].stopped || lifecycle(slot).phase == Phase::leaving;
  });
}

bool Pool::all_lost() const {
  return std::ranges::all_of(children_.taken(),
                             [&](std::uint32_t slot) { return children_[slot].ending == Ending::lost; });
}

}  // namespace brood
