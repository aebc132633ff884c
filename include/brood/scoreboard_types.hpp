// SPDX-License-Identifier: MIT
// The types of the scoreboard that the server and its readers share, and their printed names.
#pragma once

#include "brood/cxx20.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brood {

// The number of a connection among those that its child has open. It is used again when the connection has
// ended.
using ConnectionId = std::uint32_t;

// Starting: the child was forked. Serving: it accepts. Leaving: it accepts no more.
enum class Phase : std::uint8_t { empty, starting, serving, leaving };
inline constexpr std::array<std::string_view, 4> phase_names = {"empty", "starting", "serving", "leaving"};

// Why a child leaves, or asks to.
enum class Reason : std::uint8_t {
  none,
  surplus,      // more spares than needed
  recycle,      // a reload made its settings old
  cap,          // max-requests-per-child
  stop,         // the server stops
  parent_gone,  // the parent has ended
  failure,      // not used; the numbers of the others are part of the layout
  own_stop,     // the server's code called this_child::stop()
  detached,     // the server's code called this_child::detach()
  retire,       // broodctl retire
  pause,        // its service was paused
  damaged,      // its row on the scoreboard was overwritten
  memory        // max-memory-per-child
};
inline constexpr std::array<std::string_view, 13> reason_names = {
    "none",     "surplus",  "recycle", "cap",   "stop",    "parent-gone", "failure",
    "own-stop", "detached", "retire",  "pause", "damaged", "memory"};

// Paused: the listeners are open, and no child accepts. Failed: a child ended with exit code 78, and none is
// started any more.
enum class ServiceState : std::uint8_t { running, paused, stopping, stopped, failed };
inline constexpr std::array<std::string_view, 5> service_state_names = {"running", "paused", "stopping",
                                                                        "stopped", "failed"};

// A child may write any byte. A value out of range has the first name.
template <typename Enum, std::size_t size>
std::string_view name_of(Enum value, const std::array<std::string_view, size>& names) {
  const auto index = static_cast<std::size_t>(value);
  return names[index < size ? index : 0];
}
inline std::string_view name_of(Phase phase) { return name_of(phase, phase_names); }
inline std::string_view name_of(Reason reason) { return name_of(reason, reason_names); }
inline std::string_view name_of(ServiceState state) { return name_of(state, service_state_names); }

// Connections by their duration, from accept to close. Bucket 0: under 1 us; bucket i: from 2^(i-1) to under
// 2^i us; the last one has no upper end (2^38 us are three days).
inline constexpr std::size_t latency_buckets = 40;
using LatencyHistogram = std::array<std::uint64_t, latency_buckets>;

// Connections by their time in the queue of a listener. Bucket 0: under 8 ms, or not known to be longer;
// bucket i: from 2^(i+2) to under 2^(i+3) ms; the last one has no upper end.
inline constexpr std::size_t wait_buckets = 17;
using WaitHistogram = std::array<std::uint64_t, wait_buckets>;
inline constexpr std::uint32_t wait_resolution = 8;  // milliseconds

// What the parent has decided.
enum class DecisionKind : std::uint8_t {
  none,
  start_first,     // start-servers
  start,           // children for the load, or as spares
  replace,         // children that take the place of outdated ones
  surplus,         // more spares than max-spare-servers: some leave
  idle,            // children that idle-timeout did not need leave
  outdated,        // outdated ones leave
  retire,          // an order: one child leaves
  throttle,        // children fail: the next start waits
  fork_failed,     // as well
  at_max_clients,  // more children are wanted than may be
  reload,          // other settings are in force
  scale,           // other limits are
  pause,
  resume,
  stop,
  run,      // the service starts again
  end,      // a child took too long
  damaged,  // a child whose row was overwritten leaves
  upgrade   // another program goes on
};
inline constexpr std::array<std::string_view, 20> decision_names = {
    "none",     "start-first", "start",          "replace", "surplus", "idle",  "outdated", "retire",
    "throttle", "fork-failed", "at-max-clients", "reload",  "scale",   "pause", "resume",   "stop",
    "run",      "end",         "damaged",        "upgrade"};

inline constexpr std::size_t note_size = 48;  // bytes of Connection::note() that are kept

// Why a child has ended, as the parent knows it.
enum class EndCause : std::uint8_t {
  unasked,    // it left by itself, with exit code 0
  surplus,    // more spares than max-spare-servers
  idle,       // idle-timeout
  outdated,   // it was of an older generation
  age,        // max-lifetime-per-child
  requests,   // max-requests-per-child
  memory,     // max-memory-per-child
  retire,     // broodctl retire
  pause,      // its service was paused
  stop,       // its service or the server stops
  own_stop,   // the server's code called this_child::stop()
  detached,   // the server's code called this_child::detach(): it has given its slot back
  damaged,    // its row on the scoreboard was overwritten
  killed,     // the parent has ended it: it took too long, or an order did not wait for it
  signal,     // a signal that the parent has not sent
  exit_code,  // another one than 0
};
inline constexpr std::array<std::string_view, 16> end_cause_names = {
    "unasked", "surplus", "idle",     "outdated", "age",     "requests", "memory", "retire",
    "pause",   "stop",    "own-stop", "detached", "damaged", "killed",   "signal", "exit-code"};
inline std::string_view name_of(EndCause cause) { return name_of(cause, end_cause_names); }

// Why an open connection has ended. It may also have ended with its child.
enum class Outcome : std::uint8_t {
  served,     // the handler returned
  failed,     // the handler ended by an exception of its own
  peer_gone,  // the connection broke while the handler used it
  timed_out,  // a time limit has ended it
  probe,      // the peer was gone before it had sent a byte, and before it was answered
};
inline constexpr std::array<std::string_view, 5> outcome_names = {"served", "failed", "peer-gone",
                                                                  "timed-out", "probe"};
// Why a client was refused: its connection was closed before any handler saw it.
enum class RefusedBy : std::uint8_t {
  rule,          // of the settings allow and deny
  client_limit,  // max-connections-per-client
  client_rate,   // client-rate
  overload       // overload = refuse
};
inline constexpr std::array<std::string_view, 4> refused_by_names = {"rule", "client-limit", "client-rate",
                                                                     "overload"};
inline std::string_view name_of(RefusedBy by) { return name_of(by, refused_by_names); }
inline std::string_view name_of(Outcome outcome) { return name_of(outcome, outcome_names); }

}  // namespace brood
