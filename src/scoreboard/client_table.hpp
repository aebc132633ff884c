// SPDX-License-Identifier: MIT
// What the children of a service know together of their clients: how many connections each has open, and how
// fast it begins new ones. Tables in the gossip pages of the scoreboard; without locks, system calls (unless
// two children take the last place of a client at once) and counters that could drift.
//
// ClientCounts: each open connection has a place with its client's mark and its child's. So the number of a
// client's connections is not kept, but counted, among the few places that its mark leads to. A place whose
// child has ended is free: its slot has another incarnation, or none.
//
// ClientRates: a client has a cell with the time at which it will have paid for what it began (the generic
// cell rate algorithm). A time that the setting cannot have led to counts for nothing. If there are more
// clients than cells, the one that owes least is forgotten.
//
// A child that overwrites these tables can make a limit too strict or too lax, for its own service, until the
// connections have ended that were open then.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

// Made of a client's address by hash_of().
using ClientHash = std::uint64_t;
ClientHash hash_of(std::span<const std::uint8_t> client, std::uint64_t seed);

class ClientCounts {
 public:
  using Place = std::uint32_t;
  static constexpr Place no_place = UINT32_MAX;

  // For the child that has this slot. `most`: connections that a client may have.
  ClientCounts(const Scoreboard& scoreboard, std::uint32_t slot, unsigned most);

  // For one more connection of this client. Empty: it has its share. no_place: the table has no room, and the
  // connection does not count.
  std::optional<Place> take(ClientHash client) const;
  void give_back(Place place) const;
  unsigned count(ClientHash client) const;

 private:
  struct Found {
    unsigned open = 0, coming = 0;
    Place first_coming = no_place;
  };
  using Places = std::span<Shared<std::uint64_t>>;
  // Those that may be a client's. All children see the same ones, also after the table has grown; what was
  // counted elsewhere before is not, until it has ended.
  Places region_of(ClientHash client) const;
  Place insert(Places region, std::uint64_t coming) const;  // its index in the region
  Found look(Places region, std::uint64_t mark) const;
  void give_back(Shared<std::uint64_t>& place) const;
  bool is_of_a_child(std::uint64_t place) const;

  const Scoreboard& scoreboard_;
  const unsigned most_;
  const std::uint32_t owner_;  // of a place: slot and seal
};

class ClientRates {
 public:
  // After a pause a client may begin `burst` connections at once, then one in each `interval`.
  ClientRates(const Scoreboard& scoreboard, std::chrono::microseconds interval, unsigned burst);

  bool take(ClientHash client, Time now) const;  // false: too soon

 private:
  const std::span<Shared<std::uint64_t>> cells_;
  const std::uint64_t interval_, tolerance_;  // microseconds
};

}  // namespace brood
