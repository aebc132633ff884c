// SPDX-License-Identifier: MIT
// The scoreboard of a running (or hanging, or crashed) server, read from outside. Maps the file read-only,
// takes no lock, talks to nobody: it works with every child busy and with the parent stopped. Any process
// that may read the file.
//
// A row is read whole or marked as torn; the figures of a service are read together, so that the sums hold.
#pragma once

#include "brood/cxx20.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "brood/scoreboard_types.hpp"

namespace brood {

struct FiguresSnapshot {
  std::uint64_t accepted = 0;  // connections; accepted = finished + aborted + in hand
  std::uint64_t finished = 0;
  std::uint64_t failed = 0;   // of those finished: the handler ended by an exception
  std::uint64_t aborted = 0;  // were in hand when their child died
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  LatencyHistogram latency{};

  FiguresSnapshot& operator+=(const FiguresSnapshot& other);
  // The upper end of the bucket that holds this share (0 to 1) of the connections; 0 where there were none.
  std::chrono::microseconds latency_at(double share) const;
};

// What a slot counts as; each slot is exactly one of these.
enum class SlotState : std::uint8_t { empty, starting, idle, busy, leaving };
inline constexpr std::array<std::string_view, 5> slot_state_names = {"empty", "starting", "idle", "busy",
                                                                     "leaving"};

struct SlotSnapshot {
  std::uint32_t index = 0;
  SlotState state = SlotState::empty;
  pid_t pid = 0;
  std::uint64_t incarnation = 0;  // how many children this slot has had
  std::uint32_t generation = 0;
  bool asks = false;                   // wants to be replaced
  bool stopped = false;                // by a signal from outside
  Reason reason = Reason::none;        // why it leaves or asks
  std::chrono::nanoseconds age{};      // since fork
  bool spare = false;                  // can take another connection now
  std::uint32_t open_connections = 0;  // connections
  std::uint32_t capacity = 0;          // for how many
  // Of the oldest connection in hand:
  std::chrono::nanoseconds busy_for{};  // 0: nothing in hand
  std::uint32_t listener = 0;           // index in the service's order of listeners
  std::string peer;                     // or of the last one; "trigger": nobody
  std::string note;                     // as the handler set it, control characters escaped
  FiguresSnapshot figures;
  bool torn =
      false;  // its child was stopped or killed in the middle of a write: the activity may not fit together
};

struct ServiceSnapshot {
  std::string name;
  std::string listeners;
  ServiceState state = ServiceState::running;
  bool scaled = false;  // the limits differ from what the settings say, by an order to broodctl
  std::uint32_t generation = 0;
  std::uint32_t start_servers = 0, min_spare_servers = 0, max_spare_servers = 0, max_clients = 0;
  std::uint32_t max_requests_per_child = 0;
  // empty + starting + idle + busy + leaving = number of slots
  std::uint32_t empty = 0, starting = 0, idle = 0, busy = 0, leaving = 0;
  std::uint32_t spare = 0;              // of those idle and busy: can take another connection now
  std::uint32_t stopped = 0, lost = 0;  // of those
  std::uint32_t detached = 0;  // besides those in slots: live on without one, counted against max-clients
  std::uint32_t open_connections = 0;  // connections
  bool at_max_clients = false;
  std::uint64_t max_clients_reached = 0, connection_timeouts = 0;
  std::uint64_t children_started = 0, children_gone = 0, children_failed = 0;
  std::chrono::nanoseconds throttled_for{};  // 0: not throttled
  FiguresSnapshot total;                     // of all children that there are and were
  std::vector<SlotSnapshot> slots;

  std::uint32_t children() const { return starting + idle + busy + leaving; }
};

struct Snapshot {
  std::string name;
  pid_t parent_pid = 0;
  bool parent_alive = false;
  char parent_state = '\0';  // as in ps: 'S' sleeping, 'T' stopped, …
  bool stopping = false;     // the parent drains, or has ended on purpose
  std::chrono::nanoseconds age{};
  std::uint32_t upgrades = 0;    // programs that took over in the parent's process (SIGUSR2)
  std::uint64_t recoveries = 0;  // of the lock, from owners that died
  std::uint64_t repairs = 0;     // fields that were wrong then
  std::vector<ServiceSnapshot> services;

  // Throws Error: the file can't be read, or is no scoreboard of this layout.
  static Snapshot read(const std::string& path);
};

// Where a server of this user has its scoreboard, as NAME.scoreboard, if its setting runtime-directory is
// empty.
std::string default_runtime_directory();

}  // namespace brood
