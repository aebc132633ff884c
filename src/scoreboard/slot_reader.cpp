// SPDX-License-Identifier: MIT
#include "scoreboard/slot_reader.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/address.hpp"
#include "base/text.hpp"

namespace brood {
namespace {

// A write lasts some nanoseconds, unless its child was stopped in the middle.
constexpr int read_attempts = 1000;

std::chrono::nanoseconds since(std::int64_t then, Time now) {
  if (then == 0) return {};
  // A child may have read the clock after this process did, or have written nonsense.
  return std::chrono::nanoseconds(std::max<std::int64_t>(
      to_nanoseconds(now) - std::clamp<std::int64_t>(then, 0, to_nanoseconds(now)), 1));
}

template <std::size_t words>
std::array<char, words * 8> read_bytes(const std::array<Shared<std::uint64_t>, words>& from) {
  std::array<std::uint64_t, words> whole{};
  std::transform(from.begin(), from.end(), whole.begin(),
                 [](const auto& word) { return word.load(relaxed); });
  return std::bit_cast<std::array<char, words * 8>>(whole);
}

void read_activity(const Slot& slot, Time now, SlotSnapshot& to) {
  to.open_connections = slot.open_connections.load(relaxed);
  to.uncounted = slot.uncounted.load(relaxed);
  to.capacity = slot.capacity.load(relaxed);
  const std::chrono::nanoseconds changed = since(slot.since.load(relaxed), now), none{};
  to.busy_for = to.open_connections > 0 ? changed : none;
  to.idle_for = to.open_connections > 0 ? none : changed;
  to.listener = static_cast<std::uint32_t>(slot.listener.load(relaxed));
  to.figures = read_figures(slot.figures, slot.not_accepted);
  const auto peer = read_bytes(slot.peer);
  sockaddr_storage address{};
  std::memcpy(&address, peer.data(), peer.size());
  const bool no_peer = address.ss_family == AF_UNSPEC;
  to.peer = to.figures.accepted + to.uncounted + to.figures.early_probes == 0 ? ""
            : no_peer                                                         ? "trigger"
                                                                              : to_text(address);
  const auto note = read_bytes(slot.note);
  to.note = escape(std::string_view(note.data(), ::strnlen(note.data(), note.size())));
}

SlotState classify(const Lifecycle& lifecycle, Order order, pid_t pid, std::uint32_t open_connections) {
  // As long as the parent does not say so, only the child itself can show that it was forked.
  const bool may_not_be = lifecycle.phase == Phase::empty || lifecycle.phase == Phase::starting;
  if (pid == 0 && may_not_be) return SlotState::empty;
  if (order == Order::leave || lifecycle.phase == Phase::leaving) return SlotState::leaving;
  if (lifecycle.phase == Phase::serving) return open_connections == 0 ? SlotState::idle : SlotState::busy;
  return SlotState::starting;
}

}  // namespace

std::chrono::microseconds sum(std::chrono::microseconds one, std::chrono::microseconds other) {
  return one > std::chrono::microseconds::max() - other ? std::chrono::microseconds::max() : one + other;
}

std::chrono::microseconds read_duration(const Figures& figures) {
  constexpr std::uint64_t most = INT64_MAX;
  return std::chrono::microseconds(std::min(figures.duration.load(relaxed), most));
}

FiguresSnapshot read_figures(const Figures& figures, const NotAccepted& others) {
  FiguresSnapshot to{.accepted = figures.accepted.load(relaxed),
                     .finished = figures.finished.load(relaxed),
                     .failed = figures.failed.load(relaxed),
                     .peers_gone = figures.peers_gone.load(relaxed),
                     .timed_out = figures.timed_out.load(relaxed),
                     .probes = figures.probes.load(relaxed),
                     .aborted = figures.aborted.load(relaxed),
                     .early_probes = others.probes.load(relaxed),
                     .refused_proxy = others.refused.load(relaxed),
                     .bytes_read = figures.bytes_read.load(relaxed),
                     .bytes_written = figures.bytes_written.load(relaxed),
                     .duration = read_duration(figures)};
  for (std::size_t i = 0; i < latency_buckets; ++i) to.latency[i] = figures.latency[i].load(relaxed);
  return to;
}

SlotSnapshot read_slot(const Slot& slot, const SlotOrders& orders, bool idle, std::uint32_t index, Time now) {
  SlotSnapshot to;
  to.index = index;
  to.pid = orders.pid.load(relaxed);
  to.incarnation = orders.incarnation.load(relaxed);
  to.generation = orders.generation.load(relaxed);
  to.started_by = orders.started_by.load(relaxed);
  to.told_by = orders.told_by.load(relaxed);
  to.stopped = orders.stopped.load(relaxed) != 0;
  const Lifecycle lifecycle = Lifecycle::unpack(slot.lifecycle.load(std::memory_order_acquire));
  const Order order = orders.order.load(relaxed);
  to.asks = lifecycle.asks;
  const auto ordered_reason = orders.reason.load(relaxed);
  to.reason = order == Order::leave && ordered_reason < reason_names.size()
                  ? static_cast<Reason>(ordered_reason)
                  : lifecycle.reason;
  to.state = classify(lifecycle, order, to.pid, 0);
  if (to.state == SlotState::empty) return to;
  to.spare = idle && to.state == SlotState::idle;
  to.age = since(orders.forked_at.load(relaxed), now);

  to.torn = true;
  for (int i = 0; i < read_attempts && to.torn; ++i) {
    const auto before = slot.sequence.load(std::memory_order_acquire);
    read_activity(slot, now, to);
    std::atomic_thread_fence(std::memory_order_acquire);
    to.torn = before % 2 != 0 || slot.sequence.load(relaxed) != before;
  }
  to.state = classify(lifecycle, order, to.pid, to.open_connections);
  return to;
}

}  // namespace brood
