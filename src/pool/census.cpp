// SPDX-License-Identifier: MIT
#include "pool/census.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "scoreboard/slot_reader.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

}  // namespace

ChildCensus::ChildCensus(const Scoreboard& scoreboard, std::uint32_t service, const ChildTable& children)
    : scoreboard_(scoreboard),
      service_(service),
      first_slot_(scoreboard.service(service).first_slot),
      children_(children) {}

SlotSnapshot ChildCensus::view(std::uint32_t slot) const {
  const std::uint32_t row = on_table(slot);
  return read_slot(scoreboard_.slot(row), scoreboard_.slot_orders(row), scoreboard_.is_idle(row), slot,
                   Clock::now());
}

Lifecycle ChildCensus::lifecycle(std::uint32_t slot) const {
  return Lifecycle::unpack(scoreboard_.slot(on_table(slot)).lifecycle.load(std::memory_order_acquire));
}

bool ChildCensus::outdated(std::uint32_t slot, std::uint32_t generation) const {
  return children_[slot].generation != generation || lifecycle(slot).asks;
}

bool ChildCensus::is_busy(std::uint32_t slot) const {
  return scoreboard_.slot(on_table(slot)).open_connections.load(relaxed) > 0;
}

Census ChildCensus::census(std::uint32_t generation, std::chrono::milliseconds idle_timeout,
                           Clock::duration trial, Time now) const {
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
    if (child.stopped || child.escalation != Escalation::none) continue;
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
    const bool on_trial = child.replacement && age(slot, now) < trial;
    if (on_trial) census.next_proof = std::min<Time>(census.next_proof, child.forked_at + trial);
    if (child.replacement) ++(on_trial ? census.replacements_starting : census.replacements_ready);
    if (outdated(slot, generation)) ++(idle ? census.outdated_idle : census.outdated_busy);
  }
  return census;
}

std::string ChildCensus::serving(std::uint32_t slot) const {
  const SlotSnapshot child = view(slot);
  if (child.open_connections == 0) return "";
  return text(" while serving ", child.peer, child.note.empty() ? "" : " '" + child.note + "'", " for ",
              child.busy_for,
              child.open_connections > 1 ? text(" and ", child.open_connections - 1, " others") : "");
}

std::uint64_t ChildCensus::accepted() const {
  std::uint64_t sum = scoreboard_.service(service_).gone.accepted.load(relaxed);
  for (const std::uint32_t slot : children_.taken())
    sum += scoreboard_.slot(on_table(slot)).figures.accepted.load(relaxed);
  return sum;
}

bool ChildCensus::proven_since(Time time, Clock::duration trial, Time now) const {
  return std::ranges::any_of(children_.taken(), [&](std::uint32_t slot) {
    const ChildRecord& child = children_[slot];
    const Figures& figures = scoreboard_.slot(on_table(slot)).figures;
    const bool good = figures.finished.load(relaxed) > 0 ||
                      (figures.accepted.load(relaxed) > 0 && now - child.forked_at >= trial);
    return good && child.forked_at > time;
  });
}

bool ChildCensus::lived_since(Time time, Clock::duration trial, Time now) const {
  return std::ranges::any_of(children_.taken(), [&](std::uint32_t slot) {
    return children_[slot].forked_at > time && age(slot, now) >= trial;
  });
}

std::uint64_t ChildCensus::aborted() const {
  return scoreboard_.service(service_).gone.aborted.load(relaxed);
}

bool ChildCensus::any_serving() const {
  return std::ranges::any_of(children_.taken(), [&](std::uint32_t slot) {
    return lifecycle(slot).phase == Phase::serving && !children_[slot].told_to_leave;
  });
}

bool ChildCensus::leaves_by_itself(std::uint32_t slot) const {
  const Lifecycle body = lifecycle(slot);
  return body.phase == Phase::leaving && (body.reason == Reason::own_stop || body.reason == Reason::detached);
}

// What the child says, within its life. What is far in the future is nonsense, and would never be over.
Time ChildCensus::idle_since(std::uint32_t slot, Time now) const {
  const Time said{std::chrono::nanoseconds(scoreboard_.slot(on_table(slot)).since.load(relaxed))};
  const Time forked = children_[slot].forked_at;
  return said > now + 1s ? forked : std::clamp(said, forked, std::max(now, forked));
}

bool ChildCensus::is_full(std::uint32_t slot) const {
  const Slot& row = scoreboard_.slot(on_table(slot));
  return row.open_connections.load(relaxed) >= std::max(row.capacity.load(relaxed), 1U);
}

bool ChildCensus::none_accepts(Time told) const {
  return std::ranges::all_of(children_.taken(), [&](std::uint32_t slot) {
    const ChildRecord& child = children_[slot];
    return is_full(slot) || (child.told_to_leave && child.told_at < told) || child.stopped ||
           lifecycle(slot).phase == Phase::leaving;
  });
}

bool ChildCensus::all_lost() const {
  return std::ranges::all_of(
      children_.taken(), [&](std::uint32_t slot) { return children_[slot].escalation == Escalation::lost; });
}

}  // namespace brood
