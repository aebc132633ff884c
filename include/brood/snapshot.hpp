// SPDX-License-Identifier: MIT
// The scoreboards of a server, read from outside. It maps the files read-only and takes no lock, so it also
// works if every child is busy, the parent is stopped, or the server has crashed. In any process that may
// read the file.
//
// A row is read whole or marked as torn. The figures of a service are read together, so that the sums are
// right. Times are counted from the moment of reading.
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
  std::uint64_t accepted = 0;  // connections; accepted = finished + aborted + open - uncounted
  std::uint64_t finished = 0;
  // Of those finished. The others were served.
  std::uint64_t failed = 0;      // the handler ended by an exception of its own
  std::uint64_t peers_gone = 0;  // the connection broke while the handler used it
  std::uint64_t timed_out = 0;   // a time limit has ended them
  std::uint64_t probes = 0;      // the peer was gone before it had sent a byte, and before it was answered
  std::uint64_t aborted = 0;     // were open when their child died
  // Not of those accepted, at listeners with `proxy`:
  std::uint64_t early_probes = 0;   // of the balancer, or without a byte
  std::uint64_t refused_proxy = 0;  // for their PROXY header, or the lack of one
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  LatencyHistogram latency{};
  std::chrono::microseconds duration{};  // of all finished connections together

  FiguresSnapshot& operator+=(const FiguresSnapshot& other);
  // The time within which this share (0 to 1) of the finished connections ended, rounded up to a power of two
  // microseconds. 0: there were none.
  std::chrono::microseconds latency_at(double share) const;
};

// What a slot counts as. Starting: its child was forked and does not serve yet. Idle: no open connection.
// Busy: one or more. Leaving: told to leave, or leaving by itself.
enum class SlotState : std::uint8_t { empty, starting, idle, busy, leaving };
inline constexpr std::array<std::string_view, 5> slot_state_names = {"empty", "starting", "idle", "busy",
                                                                     "leaving"};

struct SlotSnapshot {
  std::uint32_t index = 0;
  SlotState state = SlotState::empty;
  pid_t pid = 0;                              // 0: its parent is about to say
  std::uint64_t incarnation = 0;              // how many children this slot has had
  std::uint32_t generation = 0;               // of the settings that the child was forked with
  bool asks = false;                          // has asked the parent for a replacement
  bool stopped = false;                       // by SIGSTOP or a like signal
  std::uint64_t started_by = 0, told_by = 0;  // DecisionSnapshot::number; 0: none
  Reason reason = Reason::none;               // why the child leaves or asks
  std::chrono::nanoseconds age{};             // since fork
  bool spare = false;                         // can take another connection now
  std::uint32_t open_connections = 0;
  std::uint32_t uncounted = 0;  // of these: their PROXY header has not come, or they are the balancer's own
  std::uint32_t capacity = 0;   // how many connections the child may have open
  // Of the oldest open connection; peer and note also of the last one:
  std::chrono::nanoseconds busy_for{};  // since it was accepted; 0: no open connection
  std::chrono::nanoseconds idle_for{};  // since the last one has ended; 0: one is open, or none has ended
  std::uint32_t listener = 0;           // index in the service's order of listeners
  std::string peer;                     // its address; "trigger": there is no peer
  std::string note;                     // as the handler set it, control characters escaped
  FiguresSnapshot figures;
  // Of the process, after read_processes(). 0: it is not known.
  std::uint64_t private_memory = 0;  // bytes
  std::chrono::milliseconds cpu{};   // used since it was forked
  std::uint32_t descriptors = 0;     // that it has open
  // The child was stopped or killed in the middle of a write: fields from open_connections on may not match.
  bool torn = false;
};

// A Counter: the sum over all children, past and present. A Gauge: over those that live.
struct CounterSnapshot {
  std::string name, help;
  bool gauge = false;
  std::int64_t value = 0;
};

// What the parent has decided, and what it went by.
struct DecisionSnapshot {
  std::uint64_t number = 0;  // from 1 on
  std::chrono::nanoseconds ago{};
  DecisionKind kind = DecisionKind::none;
  std::uint32_t count = 0;  // of children that were started or told to leave
  pid_t pid = 0;            // of the one child that it is about; 0: none
  std::uint32_t slot = 0;
  std::int64_t value = 0;  // throttle, fork_failed: the delay, nanoseconds
  std::string word;        // end: what the child took too long for; start: what is wrong with spares
  // As the parent had counted them at that look:
  std::uint32_t total = 0, starting = 0, idle = 0, busy = 0, leaving = 0, outdated = 0;
  std::uint32_t waiting = 0;  // connections in the queues of the listeners
  // In force at that time:
  std::uint32_t generation = 0, start_servers = 0, min_spare_servers = 0, max_spare_servers = 0,
                max_clients = 0;
};

// A child that has ended.
struct EndSnapshot {
  std::uint64_t number = 0;
  std::chrono::nanoseconds ago{}, age{};  // since its end; its age then
  pid_t pid = 0;
  std::uint32_t slot = 0, generation = 0;
  std::uint64_t accepted = 0, finished = 0;   // connections
  std::uint64_t started_by = 0, told_by = 0;  // DecisionSnapshot::number; 0: it is not known
  Reason reason = Reason::none;               // why it was told to leave, or left
  bool failed = false;                        // it counts as failed
  bool by_signal = false;                     // then `status` is the signal, otherwise the exit code
  int status = 0;
};

// What happened in one second.
struct SecondSnapshot {
  std::uint32_t finished = 0, failed = 0, timed_out = 0, probes = 0, aborted = 0;  // connections that ended
  std::chrono::milliseconds duration{};      // of those finished, together
  std::chrono::milliseconds longest_wait{};  // in the queue of a listener
  std::uint32_t most_busy = 0;               // children that were seen busy at once
};

struct ServiceSnapshot {
  std::string name;
  std::string listeners;
  ServiceState state = ServiceState::running;
  bool scaled = false;  // broodctl has changed the limits below
  // False: its program does not report its connections. Then the figures of connections mean nothing, but
  // for `waiting` and `most_waiting`.
  bool counts_connections = true;
  std::uint32_t generation = 0;
  std::uint32_t start_servers = 0, min_spare_servers = 0, max_spare_servers = 0, max_clients = 0;
  std::uint32_t max_requests_per_child = 0;
  // empty + starting + idle + busy + leaving = number of slots
  std::uint32_t empty = 0, starting = 0, idle = 0, busy = 0, leaving = 0;
  std::uint32_t spare = 0;     // of the idle and the busy: can take another connection now
  std::uint32_t stopped = 0;   // of the children in slots: by SIGSTOP or a like signal
  std::uint32_t lost = 0;      // of the children in slots: SIGKILL could not end them
  std::uint32_t detached = 0;  // children without a slot (this_child::detach); they count against max-clients
  std::uint32_t open_connections = 0, uncounted = 0;
  bool at_max_clients = false;  // no spare, and no child may be added
  std::uint64_t max_clients_reached = 0, connection_timeouts = 0;
  std::uint64_t children_started = 0, children_gone = 0, children_failed = 0;
  std::array<std::uint64_t, end_cause_names.size()> children_ended{};  // those gone by EndCause
  std::chrono::nanoseconds throttled_for{};  // until the next child may be started; 0: not throttled
  // In the queues of the listeners: at the parent's last look, or now after read_waiting(); and the most that
  // the parent or a child has seen.
  std::uint32_t waiting = 0, most_waiting = 0;
  std::uint32_t most_busy = 0;  // children with an open connection, at once
  // Of TCP connections. Those of bucket 0 are all accepted ones that are not in another.
  WaitHistogram waits{};
  std::chrono::milliseconds longest_wait{}, wait{};  // of one; of those in buckets 1 and up together
  // How long exactly as many children as the index were busy. Of children that take one connection at a time.
  std::vector<std::chrono::nanoseconds> busy_times;
  std::vector<SecondSnapshot> history;      // of the last 600 seconds; the last one is the present second
  std::vector<DecisionSnapshot> decisions;  // the last 256, oldest first
  std::vector<EndSnapshot> ends;            // the last 128, oldest first
  // From which share of the connections lately, in percent, and from which wait lately readers should warn;
  // 0: never.
  std::uint32_t failed_warning = 0, failed_critical = 0;
  std::chrono::milliseconds wait_warning{}, wait_critical{};
  std::vector<std::uint64_t> listener_inodes;  // of the sockets, as in /proc/net
  std::uint64_t recoveries = 0;  // how often the lock of the scoreboard was recovered from an owner that died
  std::uint64_t repairs = 0;     // how many fields of the scoreboard were corrected
  FiguresSnapshot total;         // of all children, past and present
  // Clients that were refused, by RefusedBy. They are not among the accepted.
  std::array<std::uint64_t, refused_by_names.size()> refused{};
  std::vector<CounterSnapshot> counters;  // of the server's own, in the order in which they were added
  std::vector<SlotSnapshot> slots;

  std::uint32_t children() const { return starting + idle + busy + leaving; }
};

struct Snapshot {
  std::string name;
  pid_t parent_pid = 0;
  bool parent_alive = false;
  char parent_state = '\0';        // as in ps: 'S' sleeping, 'T' stopped, …
  bool stopping = false;           // it takes no new connections, or has ended as ordered
  bool draining = false;           // it serves on, and will stop: others should be asked
  std::chrono::nanoseconds age{};  // since the parent was ready
  std::uint32_t upgrades = 0;      // programs that took over in the parent's process (SIGUSR2)
  std::vector<ServiceSnapshot> services;

  // `path`: the scoreboard's file, or the directory with those of a server's services. Throws Error if it
  // cannot be read or is no scoreboard of this layout.
  static Snapshot read(const std::string& path);
};

// Asks the kernel how many connections wait in the queues of the listeners now, TCP and unix, and puts that
// into ServiceSnapshot::waiting. Only in the network namespace of the server. False: it did not answer, and
// nothing has changed.
bool read_waiting(Snapshot& snapshot);

// Reads what the children that there are cost from /proc, into SlotSnapshot. Of processes of another user
// only root sees all. It takes about a tenth of a millisecond for each child.
void read_processes(Snapshot& snapshot);

// The directory of the scoreboards of this user, as NAME.scoreboard, if the setting runtime-directory is
// empty.
std::string default_runtime_directory();

}  // namespace brood
