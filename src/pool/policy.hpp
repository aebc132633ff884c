// SPDX-License-Identifier: MIT
// How many children to start and to retire: a pure function of what was counted. It knows no process, no
// clock and no table; the parent counts, calls it, and acts.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/service/limits.hpp"

namespace brood {

// What was counted at one look. `total` has all of a service's children; the other numbers are parts of it.
struct Census {
  unsigned total = 0;           // counts against max-clients: also those that leave, are stopped or lost
  unsigned starting = 0;        // forked, not ready yet: future spares
  unsigned idle = 0;            // spares: can take a connection now (not stopped, not told to leave)
  unsigned idle_connected = 0;  // of those: with open connections, and room for more
  unsigned fewest_idle = 0;     // the fewest spares since Plan::count_fewest
  unsigned leaving = 0;         // told to leave, not gone yet
  unsigned leaving_long = 0;    // of those: lost, or with a connection that takes long
  // To be replaced (of an old generation, too old or large, or asking because of a cap), not told to leave
  // yet:
  unsigned outdated_idle = 0;
  unsigned outdated_busy = 0;
  // Of those: started to replace one whose replacement is of a newer generation now.
  unsigned outdated_replacements = 0;
  // Started to replace one of those, which was not told to leave for it yet:
  unsigned replacements_starting = 0;  // also those that are ready but may still fail
  unsigned replacements_ready = 0;
  // Serving children that may still fail: no child of their generation has proven itself.
  unsigned unproven = 0;
  Time next_change = never;  // when time alone changes one of these numbers
  unsigned backlog = 0;      // connections that wait in the listeners' queues
  unsigned room = 1;         // how many connections a child can have
  std::uint64_t taken = 0;   // connections that these children have taken from the queues
};

// What is kept from one look to the next.
struct Pace {
  bool started = false;        // start-servers were started
  Time surplus_since = never;  // when the present surplus began; never: there is none
  // Half of idle-timeout, in which the fewest spares are counted; never: none could be spared.
  Time period_since = never;
  unsigned fewest_idle = 0;      // in this period
  unsigned fewest_before = 0;    // in the period before
  Time may_start = Time::min();  // the throttle permits no start before
  bool one_at_a_time = false;    // the throttle: starts have failed, and no child has proven itself since
  Time warned_at = Time::min();  // when max-clients was last warned of
  bool at_max_clients = false;   // connections wait, and max-clients permits no more children
  // Since when connections wait although spares have room, and how many were taken then; never: none do.
  Time waits_since = never;
  std::uint64_t taken_before = 0;
};

struct Plan {
  unsigned spawn = 0;  // children to start for the load
  unsigned spawn_replacements = 0;
  unsigned retire_surplus = 0;   // idle ones
  bool surplus_expired = false;  // for idle-timeout, not for max-spare-servers
  unsigned retire_outdated = 0;  // idle ones first
  // Replacements that are ready, and whose predecessor is told to leave now or is gone.
  unsigned replacements_done = 0;
  bool at_max_clients = false;    // more are wanted than max-clients permits, if only as spares
  bool warn_max_clients = false;  // log it now
  bool spares_hang = false;       // they take nothing, although they have room
  bool watch_listeners = false;   // no child would take what arrives
  bool count_fewest = false;      // from now on: Census::fewest_idle
  bool complete = false;          // no start is wanted, and none is under way
  Time look_again = never;
  Pace pace;  // for the next look
};

Plan decide(const Census& census, const Limits& limits, const Pace& pace, Time now);

// Until the parent looks again, children wake it if there are fewer spares than `below` or more than `above`.
struct Thresholds {
  unsigned below = 0;
  unsigned above = 0;
};
struct Spares {
  unsigned count = 0;
  bool delayed = false;  // the throttle permits no start before a time at which the parent looks anyway
  bool wake_when_busy = false;  // the next child that becomes busy, to watch its time limits
};
Thresholds thresholds(const Plan& plan, const Limits& limits, const Spares& spares);

inline constexpr unsigned spawn_batch = 32;              // forks between two looks at events
inline constexpr std::chrono::seconds surplus_delay{1};  // before a surplus is retired
inline constexpr unsigned surplus_share = 4;             // a quarter of the surplus at a time
inline constexpr std::chrono::seconds warning_interval{60};
inline constexpr std::chrono::seconds queue_check_interval{1};
// Spares with room that take nothing for so long, while connections wait, hang.
inline constexpr std::chrono::seconds spare_patience{1};
// A child that was told to leave and still has its connection after this time is not waited for.
inline constexpr std::chrono::seconds leaving_patience{10};

}  // namespace brood
