// SPDX-License-Identifier: MIT
// How many children to start and to retire: a pure function from what was counted to what is to be done. It
// knows no process, no clock and no table; the parent counts, asks, and acts.
#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"

namespace brood {

// What was counted at one look. All of a service's children are in `total`; the rest are parts of it.
struct Census {
  unsigned total = 0;     // every child that is not gone, also those that leave, are stopped or lost: counts
                          // against max-clients
  unsigned starting = 0;  // forked, not ready yet: future spares
  unsigned idle = 0;      // spares: can take a connection now (not stopped, not told to leave)
  unsigned engaged = 0;   // of those: with connections in hand, and room for more
  unsigned expired = 0;   // of those idle, with nothing in hand: for longer than idle-timeout
  Time next_expiry = never;   // of the others
  unsigned leaving = 0;       // told to leave, not gone yet
  unsigned leaving_idle = 0;  // of those: with nothing in hand
  // To be replaced (of an old generation, or asking because of a cap), not told to leave yet:
  unsigned outdated_idle = 0;
  unsigned outdated_busy = 0;
  // Started to replace one of those, which was not told to leave for it yet:
  unsigned replacements_starting = 0;
  unsigned replacements_ready = 0;
  Time next_proof = never;  // when the next of those that start has shown that it lives
  unsigned backlog = 0;     // connections that wait in the listeners' queues
};

// What one look leaves to the next.
struct Pace {
  bool started = false;  // start-servers were started
  Time surplus_since =
      never;  // when the surplus began that was seen at each look since; never: there is none
  Time may_start = Time::min();  // the throttle's word
  bool one_at_a_time = false;    // the throttle's: starts have failed, and none has proved itself since
  Time warned_at = Time::min();  // when max-clients was last warned of
  bool at_max_clients = false;   // connections wait, and max-clients permits no more children
};

struct Plan {
  unsigned spawn = 0;  // children to start for the load
  unsigned spawn_replacements = 0;
  unsigned retire_surplus = 0;   // idle ones
  unsigned retire_outdated = 0;  // idle ones first
  unsigned redeem = 0;  // replacements that are ready and have had their predecessor told, or need none
  bool at_max_clients = false;    // more are wanted than max-clients permits, if only as spares
  bool warn_max_clients = false;  // say so now
  bool watch_listeners = false;   // nobody else would take what comes
  Time look_again = never;
  Pace pace;  // for the next look
};

Plan decide(const Census& census, const Limits& limits, const Pace& pace, Time now);

// What the parent wants to be woken for until it looks again: fewer spares than `below`, more than `above`.
struct Thresholds {
  unsigned below = 0;
  unsigned above = 0;
};
struct Attention {
  unsigned spares = 0;
  unsigned hidden =
      0;  // idle bits of children that are no spares (stopped, told to leave): children count them in
  bool delayed = false;  // the throttle permits no start before a time at which the parent looks anyway
  bool watch = false;    // whoever goes busy first starts the clock of connection-timeout
};
Thresholds thresholds(const Plan& plan, const Limits& limits, const Attention& attention);

// The numbers behind it.
inline constexpr unsigned spawn_batch = 32;  // forks between two looks at events
inline constexpr std::chrono::seconds surplus_patience{1};
inline constexpr unsigned surplus_share = 4;  // a quarter of the surplus at a time
inline constexpr std::chrono::seconds warning_interval{60};
inline constexpr std::chrono::seconds queue_glance{1};

}  // namespace brood
