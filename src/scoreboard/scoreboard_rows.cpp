// SPDX-License-Identifier: MIT
// The row of a child, from before its fork to after its end.

#include "scoreboard/history/past_sums.hpp"
#include "scoreboard/history/seconds.hpp"
#include "scoreboard/row_writing.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {
namespace {

// What a child can have done. Another child may have written over its row.
bool are_plausible(const Figures& figures) {
  constexpr std::uint64_t most_open = 1 << 20, most = std::uint64_t{1} << 40;
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 60, longest = std::uint64_t{1} << 60;
  const std::uint64_t accepted = figures.accepted.load(relaxed), finished = figures.finished.load(relaxed);
  // A child that was killed in the middle of a write may have counted the last one here alone.
  std::uint64_t in_buckets = 0;
  for (const auto& bucket : figures.latency) in_buckets += bucket.load(relaxed);
  return accepted <= most && finished <= accepted && accepted - finished <= most_open &&
         not_served(figures) <= finished && in_buckets - finished <= 1 &&
         figures.bytes_read.load(relaxed) <= most_bytes &&
         figures.bytes_written.load(relaxed) <= most_bytes && figures.duration.load(relaxed) <= longest;
}

void add_all(Figures& to, const Figures& from) {
  const auto take = [](Shared<std::uint64_t>& sum, const Shared<std::uint64_t>& part) {
    add(sum, part.load(relaxed));
  };
  take(to.accepted, from.accepted);
  take(to.finished, from.finished);
  take(to.failed, from.failed);
  take(to.peers_gone, from.peers_gone);
  take(to.timed_out, from.timed_out);
  take(to.probes, from.probes);
  take(to.bytes_read, from.bytes_read);
  take(to.bytes_written, from.bytes_written);
  take(to.duration, from.duration);
  for (std::size_t i = 0; i < latency_buckets; ++i) take(to.latency[i], from.latency[i]);
}

constexpr std::uint64_t most_refused = std::uint64_t{1} << 40U;  // of a child; more is nonsense
// As below.
bool add_all(NotAccepted& to, const NotAccepted& from) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  const std::uint64_t probes = from.probes.load(relaxed), refused = from.refused.load(relaxed);
  if (probes > most || refused > most) return false;
  add(to.probes, probes);
  add(to.refused, refused);
  return true;
}

// What a child can have counted. False: it is nonsense, and was left out.
bool add_counters(ServiceOrders& service, const Figures& from) {
  constexpr std::uint64_t most = std::uint64_t{1} << 60;
  bool plausible = true;
  for (std::size_t i = 0; i < most_counters; ++i) {
    if (service.counters[i].gauge.load(relaxed) != 0) continue;
    const std::uint64_t counted = from.own[i].load(relaxed);
    plausible = plausible && counted <= most;
    add(service.gone.own[i], counted <= most ? counted : 0);
  }
  return plausible;
}

// All that a child writes without the lock.
void clear(Slot& row) {
  row.pid.store(0, relaxed);
  for (auto& refused : row.refused) refused.store(0, relaxed);
  row.uncounted.store(0, relaxed);
  row.reading.store(0, relaxed);
  row.overdue_since.store(0, relaxed);
  row.not_accepted.probes.store(0, relaxed);
  row.not_accepted.refused.store(0, relaxed);
  row.open_connections.store(0, relaxed);
  row.capacity.store(0, relaxed);
  row.listener.store(0, relaxed);
  row.since.store(0, relaxed);
  row.deadline.store(0, relaxed);
  for (auto& word : row.peer) word.store(0, relaxed);
  for (auto& word : row.note) word.store(0, relaxed);
  Figures& figures = row.figures;
  for (auto* figure :
       {&figures.accepted, &figures.finished, &figures.failed, &figures.peers_gone, &figures.timed_out,
        &figures.probes, &figures.aborted, &figures.bytes_read, &figures.bytes_written})
    figure->store(0, relaxed);
  figures.duration.store(0, relaxed);
  for (auto& bucket : figures.latency) bucket.store(0, relaxed);
  for (auto& counter : figures.own) counter.store(0, relaxed);
  clear(row.past);
}

}  // namespace

void Scoreboard::claim(std::uint32_t slot_index, std::uint32_t generation, Time now) const {
  SlotOrders& orders = writable_slot_orders(slot_index);
  orders.incarnation.store(orders.incarnation.load(relaxed) + 1, relaxed);
  orders.generation.store(generation, relaxed);
  orders.order.store(Order::serve, relaxed);
  orders.reason.store(static_cast<std::uint32_t>(Reason::none), relaxed);
  orders.end_cause.store(static_cast<std::uint32_t>(EndCause::unasked), relaxed);
  orders.stopped.store(0, relaxed);
  orders.forked_at.store(to_nanoseconds(now), relaxed);
  set_idle(slot_index, false);
  set_counted(slot_index, true);
  Slot& row = slot(slot_index);
  clear(row);
  row.sequence.store(0, relaxed);
  const std::uint32_t seal = seal_of(orders.incarnation.load(relaxed), slot_index);
  row.lifecycle.store(Lifecycle{.phase = Phase::starting, .seal = seal}.pack(), std::memory_order_release);
}

void Scoreboard::serve(std::uint32_t slot_index, pid_t pid, std::uint32_t capacity) const {
  Slot& row = slot(slot_index);
  row.pid.store(pid, relaxed);
  row.capacity.store(capacity, relaxed);
  row.since.store(to_nanoseconds(Clock::now()), relaxed);
  const std::uint32_t seal = seal_of(slot_orders(slot_index).incarnation.load(relaxed), slot_index);
  // The bit first: the parent may look without the lock, and must not find a child that serves and is no
  // spare.
  set_idle(slot_index, true);
  row.lifecycle.store(Lifecycle{.phase = Phase::serving, .seal = seal}.pack(), std::memory_order_release);
}

std::uint32_t Scoreboard::free(std::uint32_t slot_index) const {
  set_counted(slot_index, false);
  set_idle(slot_index, false);
  Slot& row = slot(slot_index);
  const Figures& from = row.figures;
  ServiceOrders& service = service_orders();
  const Writing writing(service.sequence);
  // Not row.open_connections: if the child was killed in the middle of a write, it may not match the figures.
  const bool counts = are_plausible(from);
  const std::uint64_t open_connections =
      counts ? from.accepted.load(relaxed) - from.finished.load(relaxed) : 0;
  const std::int64_t now = to_nanoseconds(Clock::now());
  if (counts) {
    add_all(service.gone, from);
    add_past(row, {slot_orders(slot_index).forked_at.load(relaxed), now}, service, history(), busy_times());
  }
  const bool others_count = add_all(service.gone_not_accepted, row.not_accepted);
  const bool counted = add_counters(service, from);
  add(service.mended, counts && counted && others_count ? 0 : 1);
  add(service.gone.aborted, open_connections);
  add_in(place_of(history(), second_of(now)).aborted, second_of(now), open_connections);
  for (std::size_t i = 0; i < row.refused.size(); ++i) {
    const std::uint64_t refused = row.refused[i].load(relaxed);
    add(service.refused_gone[i], refused <= most_refused ? refused : 0);
  }
  add(service.children_gone, 1);
  const std::uint32_t cause = slot_orders(slot_index).end_cause.load(relaxed);
  if (cause < service.children_ended.size()) add(service.children_ended[cause], 1);
  clear(row);
  row.lifecycle.store(Lifecycle{}.pack(), std::memory_order_release);
  writable_slot_orders(slot_index).pid.store(0, relaxed);
  return static_cast<std::uint32_t>(open_connections);
}

}  // namespace brood
