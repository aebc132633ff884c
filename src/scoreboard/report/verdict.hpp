// SPDX-License-Identifier: MIT
// Decides from a snapshot whether a server is well, and if not, why. broodctl(8) describes the levels.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/control_protocol.hpp"
#include "brood/snapshot.hpp"

namespace brood {

enum class Level { ok = outcome::done, warning = outcome::warning, critical = outcome::critical };

std::string_view name_of(Level level);  // "ok", "warning", "critical"

struct Problem {
  Level level;
  std::string service;  // empty: it is one of the whole server
  std::string text;     // says what is wrong and what to do

  std::string sentence() const { return service.empty() ? text : service + ": " + text; }
};

struct Verdict {
  Level level = Level::ok;  // of the worst problem
  std::vector<Problem> problems;
};

Verdict judge(const Snapshot& snapshot);

// What clients got in the last minute; if that were fewer than ten connections, in the last ten minutes.
// Balancers' checks are left out.
struct Lately {
  std::chrono::seconds span{};
  std::uint64_t connections = 0;                         // that ended
  std::uint64_t aborted = 0, failed = 0, timed_out = 0;  // of those: with their child, by an exception, ...
  // In the last minute:
  std::chrono::milliseconds longest_wait{};
  std::uint32_t most_busy = 0;  // children

  std::uint64_t bad() const { return aborted + failed + timed_out; }
};
Lately lately_of(const ServiceSnapshot& service);

// Whether clients should be sent here. That it is busy is no reason against it.
struct Readiness {
  // Drains: it serves what it has, and wants no more. Down: it serves nobody.
  enum class Kind { ready, drains, down };
  Kind kind = Kind::ready;
  std::string why = {};  // not
  bool is_ready() const { return kind == Kind::ready; }
};
Readiness readiness_of(const Snapshot& snapshot);  // of the first service that is not ready
Readiness readiness_of(const Snapshot& snapshot, const ServiceSnapshot& service);  // one of its services

// Invariants of the figures of a service. If a row is torn (it changed while it was read), the second is not
// checked.
bool slots_add_up(const ServiceSnapshot& service);        // empty + starting + idle + busy + leaving = slots
bool connections_add_up(const ServiceSnapshot& service);  // accepted = finished + aborted + open

}  // namespace brood
