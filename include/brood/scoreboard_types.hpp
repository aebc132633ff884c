// SPDX-License-Identifier: MIT
// The words of the scoreboard that the server and its readers share: phases, reasons, and their names.
#pragma once

#include "brood/cxx20.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brood {

// A connection's place among those that its child has in hand.
using ConnectionId = std::uint32_t;

// Where a slot is in its life.
enum class Phase : std::uint8_t { empty, starting, serving, leaving };
inline constexpr std::array<std::string_view, 4> phase_names = {"empty", "starting", "serving", "leaving"};

// Why a child leaves, or asks to.
enum class Reason : std::uint8_t {
  none,
  surplus,
  recycle,
  cap,
  stop,
  parent_gone,
  failure,
  own_stop,  // its own code called this_child::stop()
  detached,  // this_child::detach(): its slot is to be freed, and it lives on without
  retire,
  pause
};
inline constexpr std::array<std::string_view, 11> reason_names = {
    "none",    "surplus",  "recycle",  "cap",    "stop", "parent-gone",
    "failure", "own-stop", "detached", "retire", "pause"};

// What a service is ordered to do. Paused: its listeners are open, and nobody accepts. Failed: its children
// said that starting again can't help.
enum class ServiceState : std::uint8_t { running, paused, stopping, stopped, failed };
inline constexpr std::array<std::string_view, 5> service_state_names = {"running", "paused", "stopping",
                                                                        "stopped", "failed"};

// A byte that a child wrote may be anything: what is out of range reads as the first name.
template <typename Enum, std::size_t size>
std::string_view name_of(Enum value, const std::array<std::string_view, size>& names) {
  const auto index = static_cast<std::size_t>(value);
  return names[index < size ? index : 0];
}
inline std::string_view name_of(Phase phase) { return name_of(phase, phase_names); }
inline std::string_view name_of(Reason reason) { return name_of(reason, reason_names); }
inline std::string_view name_of(ServiceState state) { return name_of(state, service_state_names); }

// Durations of connections, accept to close. Bucket 0: under 1 us; bucket i: from 2^(i-1) to under 2^i us;
// the last one has no upper end (2^38 us are three days).
inline constexpr std::size_t latency_buckets = 40;
using LatencyHistogram = std::array<std::uint64_t, latency_buckets>;

inline constexpr std::size_t note_size = 48;

}  // namespace brood
