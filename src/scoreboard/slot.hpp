// SPDX-License-Identifier: MIT
// The layout of a service's scoreboard: the contents of the shared mapping, and which process writes them.
//
//   ┌ orders: written by the parent alone; children map these pages read-only ┐
//   │ Header │ ServerFields │ ServiceOrders │ SlotOrders × slots │ spare words │
//   │ journal                                                                  │
//   ├ gossip: written by children (and by the parent when it frees a slot) ────┤
//   │ GossipHeader (lock) │ Slot × slots │ idle words │ history │ busy times   │
//   ├ also gossip, without memory until a setting or a crash needs it ─────────┤
//   │ client places │ client rates │ Evidence × slots                         │
//   └──────────────────────────────────────────────────────────────────────────┘
//
// Each service has a scoreboard of its own, which its own children alone map: what a child writes reaches no
// other service. There are no pointers, only types of fixed width and lock-free atomics. A change here raises
// layout_version. The parent checks the range of every value that it reads from the gossip pages.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "brood/scoreboard_types.hpp"
#include "scoreboard/evidence.hpp"
#include "scoreboard/history/history_tables.hpp"
#include "scoreboard/lock/robust_mutex.hpp"
#include "scoreboard/shared.hpp"

namespace brood {

inline constexpr std::array<char, 8> scoreboard_magic = {'B', 'R', 'O', 'O', 'D', 'S', 'B', '\n'};
inline constexpr std::uint32_t layout_version = 11;
inline constexpr std::uint32_t bits_per_word = 64;
inline constexpr std::size_t most_counters = 16;
inline constexpr std::size_t most_inodes = 16;
// See ClientCounts and ClientRates.
inline constexpr std::size_t most_client_places = std::size_t{1} << 18U;
inline constexpr std::size_t client_rate_cells = std::size_t{1} << 13U;

// One bit for each slot: set while its child can take another connection.
using IdleWord = Shared<std::uint64_t>;

// std::popcount is a call into libgcc on processors of unknown age.
constexpr std::uint32_t count_ones(std::uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555U;
  word = (word & 0x3333333333333333U) + ((word >> 2) & 0x3333333333333333U);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fU;
  return static_cast<std::uint32_t>((word * 0x0101010101010101U) >> 56);
}

// A service's spares: the idle bits, which children write, of the slots in `counted`, which the parent
// writes. A bit of a slot without a child counts for nothing.
inline std::uint32_t count_bits(std::span<const IdleWord> idle, std::span<const IdleWord> counted) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < idle.size(); ++i)
    count += count_ones(idle[i].load(std::memory_order_seq_cst) & counted[i].load(relaxed));
  return count;
}

// ---- Orders

struct alignas(cache_line) Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t slots;          // a multiple of bits_per_word; 0: the server's own file, see ServerFields
  std::uint32_t gossip_offset;  // bytes from the start of the mapping; a multiple of the page size
  std::uint64_t size;           // of the whole mapping
};

// draining: it serves on, and will stop. stopping: it takes no new connections, or has ended as ordered.
enum class StopState : std::uint32_t { none, stopping, draining };

// Of the server; the same on the scoreboards of all its services. A server whose services come and go has a
// file without slots as well, so that it can be seen while it has no service.
struct alignas(cache_line) ServerFields {
  std::int64_t started_at;          // when the parent was ready, nanoseconds of CLOCK_MONOTONIC
  std::uint64_t parent_start_time;  // in clock ticks, /proc/PID/stat field 22
  Shared<std::int32_t> parent_pid;
  Shared<std::uint32_t> log_epoch;  // changes when the logs are reopened
  Shared<std::uint32_t> stopping;   // a StopState
  Shared<std::uint32_t> upgrades;   // how many programs have taken over from the one before
  std::array<char, 64> name;        // of the server, NUL-terminated
};

// Of one child, or of all children of a service that are gone. accepted = finished + aborted + open.
struct Figures {
  Shared<std::uint64_t> accepted;
  Shared<std::uint64_t> finished;  // each with one Outcome; the others were served
  Shared<std::uint64_t> failed, peers_gone, timed_out, probes;
  Shared<std::uint64_t> aborted;  // were open when their child died
  Shared<std::uint64_t> bytes_read;
  Shared<std::uint64_t> bytes_written;
  Shared<std::uint64_t> duration;  // of the finished connections, microseconds
  std::array<Shared<std::uint64_t>, latency_buckets> latency;
  std::array<Shared<std::uint64_t>, most_counters> own;  // of the server: see ServiceOrders::counters
};

// Clients that were refused, by RefusedBy. They are not among the accepted.
using Refusals = std::array<Shared<std::uint64_t>, refused_by_names.size()>;
// Connections that have ended without being counted as accepted: they came to a listener with `proxy`. Of one
// child, or of all children of a service that are gone.
struct NotAccepted {
  Shared<std::uint64_t> probes;   // of the balancer, or without a byte
  Shared<std::uint64_t> refused;  // for their PROXY header, or the lack of one
};

// Of a counter or gauge of the server's own.
struct CounterName {
  std::array<char, 32> name;  // NUL-terminated; empty: the place is free
  std::array<char, 96> help;
  Shared<std::uint32_t> gauge;  // 1: what a child has goes with it
};

// How many of the finished connections have an outcome of their own.
inline std::uint64_t not_served(const Figures& figures) {
  return figures.failed.load(relaxed) + figures.peers_gone.load(relaxed) + figures.timed_out.load(relaxed) +
         figures.probes.load(relaxed);
}

struct alignas(cache_line) ServiceOrders {
  std::array<char, 64> name;         // NUL-terminated
  std::int64_t created_at;           // when its scoreboard was made, nanoseconds of CLOCK_MONOTONIC
  std::uint32_t position;            // among the services of the server: readers show them in this order
  Shared<std::uint32_t> generation;  // a child of an older one asks to leave
  Shared<std::uint32_t> max_requests_per_child;
  Shared<std::uint64_t> max_memory_per_child;  // bytes
  Shared<std::int64_t> detach_timeout;         // milliseconds
  // A child that becomes busy and sees fewer spares than wake_below wakes the parent; so does one that
  // becomes idle and sees more than wake_above. The parent sets them to what it waits for. 0 and UINT32_MAX:
  // nothing.
  Shared<std::uint32_t> wake_below;
  Shared<std::uint32_t> wake_above;
  Shared<std::uint32_t> serving;  // children that serve, were not told to leave, and are not stopped
  // While all children are busy, none can be started, and clients wait: how long a client may keep its child
  // waiting at most, in nanoseconds. 0: without a limit.
  Shared<std::int64_t> overload_read_timeout;
  // During the same: a child that accepts a connection refuses it if more than so many wait behind it. 0: it
  // refuses none.
  Shared<std::uint32_t> overload_queue;
  // For readers:
  Shared<std::uint32_t> start_servers, min_spare_servers, max_spare_servers, max_clients;
  Shared<std::uint32_t> state;                // a ServiceState
  Shared<std::uint32_t> scaled;               // 1: broodctl has changed the limits
  Shared<std::uint32_t> unreported;           // 1: its program does not report its connections
  Shared<std::uint32_t> lost;                 // children that KILL could not end
  Shared<std::uint32_t> detached;             // children that have given their slots back and still run
  Shared<std::uint64_t> max_clients_reached;  // how often that began
  Shared<std::uint64_t> connection_timeouts;  // children ended for a connection beyond connection-timeout
  Shared<std::uint64_t> children_started;
  Shared<std::uint64_t> children_gone;
  Shared<std::uint64_t> children_failed;  // of those gone: ended unordered, or with an exit code other than 0
  // Those gone by EndCause.
  std::array<Shared<std::uint64_t>, end_cause_names.size()> children_ended;
  Shared<std::uint64_t> mended;            // fields and rows that the parent has found to be wrong
  Shared<std::int64_t> throttled_until;    // nanoseconds; 0: not throttled
  Shared<std::uint32_t> wake_when_proven;  // 1: so does a child that has finished its first connection
  // Odd while the parent counts a child that it has started, or figures move from a slot to `gone`.
  Shared<std::uint32_t> sequence;
  Figures gone;
  Refusals refused_gone;  // by children that are gone
  // Of the pages of client places and rates: how many places have memory; 0: neither has any.
  Shared<std::uint64_t> client_places;
  std::uint64_t client_seed;  // by chance, so that clients cannot choose places
  NotAccepted gone_not_accepted;
  // Also for readers. What was seen at the last look, and the most at any look:
  Shared<std::uint32_t> waiting, most_waiting;  // connections in the queues of the listeners
  Shared<std::uint32_t> most_busy;
  // When readers should warn. Percent of the connections; milliseconds in a queue; 0: never.
  Shared<std::uint32_t> failed_warning, failed_critical;
  Shared<std::int64_t> wait_warning, wait_critical;
  WaitFigures waits_gone;                                          // of children that are gone
  std::array<Shared<std::uint64_t>, most_inodes> listener_inodes;  // of their sockets; 0: no more
  std::array<CounterName, most_counters> counters;
  std::array<char, 128> listeners;  // for people: "127.0.0.1:8000 [::1]:8000", cut if it is too long
};

enum class Order : std::uint32_t { serve, leave };

struct SlotOrders {
  Shared<std::uint64_t> incarnation;  // how many children this slot has had
  Shared<std::int32_t> pid;           // as returned by fork(); 0: the slot is empty
  Shared<std::uint32_t> generation;
  Shared<Order> order;
  Shared<std::uint32_t> reason;  // a Reason, beside Order::leave
  // An EndCause: of the order to leave, and before the row is freed that of its end.
  Shared<std::uint32_t> end_cause;
  Shared<std::uint32_t> stopped;  // 1: by SIGSTOP or a like signal, as waitid() reported
  Shared<std::int64_t> forked_at;
  Shared<std::uint64_t> started_by, told_by;  // numbers of entries of the journal; 0: none
};

// ---- Gossip

struct alignas(cache_line) GossipHeader {
  RobustMutex mutex;
  alignas(cache_line) Shared<std::uint64_t> recoveries;  // how often an owner of the lock had died
  Shared<std::uint64_t> repairs;                         // how many fields were corrected then
  // The fewest spares since the parent set it: each child that takes a connection lowers it.
  alignas(cache_line) Shared<std::uint32_t> fewest_idle;
};

// One child's row.
struct alignas(cache_line) Slot {
  // Lifecycle: changes while the lock is held, with one store for each change.
  Shared<std::uint32_t> lifecycle;  // packed: see Lifecycle
  Shared<std::int32_t> pid;         // of the child, by its own word; readers use that of SlotOrders
  Refusals refused;                 // written by the child only, without a lock

  // Activity, as below, of listeners with `proxy`.
  Shared<std::uint32_t> uncounted;  // open connections that are not counted as accepted, or not yet
  NotAccepted not_accepted;

  // Written by the child only, without a lock:
  Shared<std::uint32_t> reading;       // handlers that wait for their clients' input, or are about to
  Shared<std::int64_t> overdue_since;  // nanoseconds; see ChildSlot::must_end(). 0: no wait is overdue

  // Activity: written by the child only, without a lock. `sequence` is odd while the child writes.
  alignas(cache_line) Shared<std::uint32_t> sequence;
  Shared<std::uint32_t> open_connections;
  Shared<std::uint32_t> capacity;  // while fewer are open, the idle bit is set
  // Of the oldest open connection:
  Shared<std::uint32_t> listener;  // index among the listeners of the service
  Shared<std::int64_t> since;      // nanoseconds; when it was accepted. None is open: when the last one ended
  Shared<std::int64_t> deadline;   // nanoseconds; 0: `since` and connection-timeout say when it must end
  SharedBytes<32> peer;            // sockaddr_in or sockaddr_in6; family AF_UNIX or AF_UNSPEC: no address
  SharedBytes<note_size> note;     // padded with NUL
  Figures figures;
  PastOfChild past;
};

// The word of Slot::lifecycle.
struct Lifecycle {
  Phase phase = Phase::empty;
  bool asks = false;  // for a replacement; serves until it has one
  Reason reason = Reason::none;
  std::uint32_t seal = 0;  // of the child that wrote it: seal_of() its incarnation

  static constexpr std::uint32_t seal_bits = 15;

  std::uint32_t pack() const {
    return static_cast<std::uint32_t>(phase) | (asks ? 1U << 8U : 0U) | (seal & 0x7fU) << 9U |
           static_cast<std::uint32_t>(reason) << 16U | (seal >> 7U) << 24U;
  }
  static Lifecycle unpack(std::uint32_t word) {
    const std::uint32_t phase = word & 0xffU;
    const std::uint32_t reason = (word >> 16U) & 0xffU;
    return {phase < phase_names.size() ? static_cast<Phase>(phase) : Phase::empty, ((word >> 8U) & 1U) != 0,
            reason < reason_names.size() ? static_cast<Reason>(reason) : Reason::none,
            ((word >> 9U) & 0x7fU) | (word >> 24U) << 7U};
  }
};

// A store that goes astray does not hit it by chance, nor does a copy of another row.
inline std::uint32_t seal_of(std::uint64_t incarnation, std::uint32_t slot) {
  constexpr std::uint64_t mixer = 0x9e3779b97f4a7c15;  // the golden ratio, as in Fibonacci hashing
  const std::uint64_t mixed = (incarnation * 4099 + slot + 1) * mixer;
  return static_cast<std::uint32_t>(mixed >> (64 - Lifecycle::seal_bits)) | 1U;
}

// Offsets in bytes from the start of the mapping.
struct Layout {
  std::size_t server_orders, service_orders, slot_orders, spare_words, journal;
  std::size_t gossip, slots, idle_words, history, busy_times, in_use;
  std::size_t client_places, client_rates, evidence, size;

  static constexpr Layout of(std::size_t slots, std::size_t page_size) {
    const auto align = [](std::size_t at, std::size_t to) { return (at + to - 1) / to * to; };
    const std::size_t words_size = slots / bits_per_word * sizeof(IdleWord);
    Layout at{};
    at.server_orders = sizeof(Header);
    at.service_orders = at.server_orders + sizeof(ServerFields);
    at.slot_orders = at.service_orders + sizeof(ServiceOrders);
    at.spare_words = align(at.slot_orders + slots * sizeof(SlotOrders), cache_line);
    at.journal = align(at.spare_words + words_size, cache_line);
    at.gossip = align(at.journal + (slots == 0 ? 0 : sizeof(JournalTable)), page_size);
    at.slots = at.gossip + sizeof(GossipHeader);
    at.idle_words = at.slots + slots * sizeof(Slot);
    at.history = align(at.idle_words + words_size, cache_line);
    at.busy_times = at.history + (slots == 0 ? 0 : sizeof(HistoryTable));
    at.in_use =
        align(at.busy_times + (slots == 0 ? 0 : (slots + 1) * sizeof(Shared<std::uint64_t>)), page_size);
    at.client_places = at.client_rates = at.evidence = at.size = at.in_use;
    if (slots == 0) return at;
    at.client_rates = at.client_places + most_client_places * sizeof(Shared<std::uint64_t>);
    at.evidence = align(at.client_rates + client_rate_cells * sizeof(Shared<std::uint64_t>), page_size);
    at.size = align(at.evidence + slots * sizeof(Evidence), page_size);
    return at;
  }
};

}  // namespace brood
