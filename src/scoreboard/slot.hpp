// SPDX-License-Identifier: MIT
// The layout of the scoreboard: what stands in the shared mapping, and who writes what.
//
//   ┌ orders: written by the parent alone; children map these pages read-only ┐
//   │ Header │ ServiceOrders × services │ SlotOrders × slots                  │
//   ├ gossip: written by children (and by the parent when it frees a slot) ───┤
//   │ GossipHeader (lock) │ ServiceGossip × services │ Slot × slots │ idle words │
//   └─────────────────────────────────────────────────────────────────────────┘
//
// No pointers, fixed widths, lock-free atomics only. A change here raises layout_version.
// The parent believes nothing that stands in the gossip pages beyond its range.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "brood/scoreboard_types.hpp"
#include "scoreboard/robust_mutex.hpp"

namespace brood {

inline constexpr std::array<char, 8> scoreboard_magic = {'B', 'R', 'O', 'O', 'D', 'S', 'B', '\n'};
inline constexpr std::uint32_t layout_version = 3;
inline constexpr std::size_t cache_line = 64;
inline constexpr std::uint32_t bits_per_word = 64;
inline constexpr auto relaxed = std::memory_order_relaxed;

template <typename T>
using Shared = std::atomic<T>;
// One bit a slot: set while its child can take another connection.
using IdleWord = Shared<std::uint64_t>;

inline std::uint32_t count_bits(std::span<const IdleWord> words) {
  std::uint32_t count = 0;
  for (const IdleWord& word : words)
    count += static_cast<std::uint32_t>(std::popcount(word.load(std::memory_order_seq_cst)));
  return count;
}
static_assert(Shared<std::uint64_t>::is_always_lock_free && Shared<std::uint32_t>::is_always_lock_free);

// For a field with one writer: a load and a store, no locked instruction.
template <typename T>
void add(Shared<T>& to, std::type_identity_t<T> amount) {
  to.store(to.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

template <std::size_t bytes>
using SharedBytes = std::array<Shared<std::uint64_t>, bytes / 8>;

// ---- orders
// -------------------------------------------------------------------------------------------------

struct alignas(cache_line) Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t services;
  std::uint32_t slots;
  std::uint32_t gossip_offset;  // bytes from the start of the mapping; a multiple of the page size
  std::uint64_t size;           // of the whole mapping
  std::int64_t started_at;      // when the parent was ready, nanoseconds of CLOCK_MONOTONIC
  std::uint64_t parent_birth;   // start time of the parent in clock ticks, /proc/PID/stat field 22
  Shared<std::int32_t> parent_pid;
  Shared<std::uint32_t> log_epoch;  // moves when logs are reopened
  Shared<std::uint32_t> stopping;   // 1: the parent drains or has ended on purpose
  Shared<std::uint32_t> upgrades;   // programs that have taken over from the one before
  std::array<char, 64> name;        // of the server, NUL-terminated
};

// Figures of children that are gone, or of one child.
struct Figures {
  Shared<std::uint64_t> accepted;
  Shared<std::uint64_t>
      finished;  // closed after the handler returned or threw; accepted = finished + aborted + in hand
  Shared<std::uint64_t> failed;   // of those finished: the handler ended by an exception
  Shared<std::uint64_t> aborted;  // were in hand when their child died
  Shared<std::uint64_t> bytes_read;
  Shared<std::uint64_t> bytes_written;
  std::array<Shared<std::uint64_t>, latency_buckets> latency;
};

struct alignas(cache_line) ServiceOrders {
  std::array<char, 64> name;  // NUL-terminated
  std::uint32_t first_slot;   // a multiple of bits_per_word: no two services share a word of idle bits
  std::uint32_t slot_count;
  Shared<std::uint32_t> generation;  // of the service; a child that is older asks to leave
  Shared<std::uint32_t> max_requests_per_child;
  Shared<std::int64_t> detach_timeout;  // milliseconds
  // A child that goes busy and sees fewer idle children than wake_below wakes the parent; so does one that
  // goes idle and sees more than wake_above. The parent moves them to what it wants to hear of now: 0 and
  // UINT32_MAX are "nothing".
  Shared<std::uint32_t> wake_below;
  Shared<std::uint32_t> wake_above;
  // For readers:
  Shared<std::uint32_t> start_servers, min_spare_servers, max_spare_servers, max_clients;
  Shared<std::uint32_t> state;                // a ServiceState
  Shared<std::uint32_t> scaled;               // 1: the limits differ from what the settings say
  Shared<std::uint32_t> lost;                 // children that KILL could not end
  Shared<std::uint32_t> detached;             // children that have given their slots back and live on
  Shared<std::uint64_t> max_clients_reached;  // how often that began
  Shared<std::uint64_t> connection_timeouts;  // children ended for a connection beyond connection-timeout
  Shared<std::uint64_t> children_started;
  Shared<std::uint64_t> children_gone;
  Shared<std::uint64_t> children_failed;  // of those gone: died unasked, or with an exit code other than 0
  Shared<std::int64_t> throttled_until;   // nanoseconds; 0: not throttled
  Shared<std::uint32_t> sequence;  // odd while figures move from a slot to `gone`, so that a reader can tell
  Figures gone;
  std::array<char, 128> listeners;  // for people: "127.0.0.1:8000 [::1]:8000", cut where it is too long
};

enum class Order : std::uint32_t { serve, leave };

struct SlotOrders {
  Shared<std::uint64_t>
      incarnation;  // counts the children that this slot has had; a slot is known by (index, incarnation)
  Shared<std::int32_t> pid;  // as fork() told the parent; 0 while the slot is empty
  Shared<std::uint32_t> generation;
  Shared<Order> order;
  Shared<std::uint32_t> reason;   // a Reason, beside Order::leave
  Shared<std::uint32_t> stopped;  // 1: stopped from outside, as waitid() told the parent
  Shared<std::int64_t> forked_at;
};

// ---- gossip
// -------------------------------------------------------------------------------------------------

struct alignas(cache_line) GossipHeader {
  RobustMutex mutex;
  alignas(cache_line) Shared<std::uint64_t> recoveries;  // how often an owner of the lock had died
  Shared<std::uint64_t> repairs;                         // how many fields were found wrong then, and mended
};

// What the parent was told, and has not looked at yet.
enum WakeReason : std::uint32_t { look_at_children = 1, look_at_listeners = 2 };

struct alignas(cache_line) ServiceGossip {
  Shared<std::uint32_t> wake;  // of WakeReason
};

// One child's row. `lifecycle` is the truth about its phase; changed under the lock, one store a change.
struct alignas(cache_line) Slot {
  // Lifecycle: under the lock.
  Shared<std::uint32_t> lifecycle;  // packed: phase, asks, reason
  Shared<std::int32_t> pid;         // what the child says; for readers the parent's word counts (SlotOrders)

  // Activity: the child's alone, without lock. `sequence` is odd while it writes, so that a reader can tell.
  alignas(cache_line) Shared<std::uint32_t> sequence;
  Shared<std::uint32_t> open_connections;  // connections
  Shared<std::uint32_t> capacity;          // how many it can have in hand; with fewer its idle bit is set
  Shared<std::uint32_t> listener;  // the rest is of the oldest in hand: index of the listener it came by
  Shared<std::int64_t> since;      // nanoseconds; when it was accepted. Nothing in hand: since when
  SharedBytes<32> peer;            // sockaddr_in or sockaddr_in6; family AF_UNIX or AF_UNSPEC: no address
  SharedBytes<note_size> note;     // padded with NUL
  Figures figures;
};

// The word of Slot::lifecycle.
struct Lifecycle {
  Phase phase = Phase::empty;
  bool asks = false;  // wants to be replaced; serves until it is granted
  Reason reason = Reason::none;

  std::uint32_t pack() const {
    return static_cast<std::uint32_t>(phase) | (asks ? 1U << 8U : 0U) |
           static_cast<std::uint32_t>(reason) << 16U;
  }
  static Lifecycle unpack(std::uint32_t word) {
    const std::uint32_t phase = word & 0xffU;
    const std::uint32_t reason = (word >> 16U) & 0xffU;
    return {phase < phase_names.size() ? static_cast<Phase>(phase) : Phase::empty, ((word >> 8U) & 1U) != 0,
            reason < reason_names.size() ? static_cast<Reason>(reason) : Reason::none};
  }
};

// Where things stand, in bytes from the start of the mapping.
struct Layout {
  std::size_t service_orders, slot_orders;                      // orders
  std::size_t gossip, service_gossip, slots, idle_words, size;  // gossip

  static constexpr Layout of(std::size_t services, std::size_t slots, std::size_t page_size) {
    const auto align = [](std::size_t at, std::size_t to) { return (at + to - 1) / to * to; };
    Layout at{};
    at.service_orders = sizeof(Header);
    at.slot_orders = at.service_orders + services * sizeof(ServiceOrders);
    at.gossip = align(at.slot_orders + slots * sizeof(SlotOrders), page_size);
    at.service_gossip = at.gossip + sizeof(GossipHeader);
    at.slots = at.service_gossip + services * sizeof(ServiceGossip);
    at.idle_words = at.slots + slots * sizeof(Slot);
    at.size = align(at.idle_words + slots / bits_per_word * sizeof(std::uint64_t), page_size);
    return at;
  }
};

}  // namespace brood
