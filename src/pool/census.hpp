// SPDX-License-Identifier: MIT
// What the parent sees of a service's children: its own records beside what the table says. Reads, counts and
// changes nothing; believes the table within its range only. Slots are counted from 0 within the service.
#pragma once

#include <cstdint>
#include <string>

#include "brood/snapshot.hpp"
#include "pool/child_table.hpp"
#include "pool/policy.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

class ChildCensus {
 public:
  // The references outlive it.
  ChildCensus(const Scoreboard& scoreboard, std::uint32_t service, const ChildTable& children);

  std::uint32_t on_table(std::uint32_t slot) const { return first_slot_ + slot; }

  // ---- one child
  SlotSnapshot view(std::uint32_t slot) const;
  Lifecycle lifecycle(std::uint32_t slot) const;
  bool outdated(std::uint32_t slot, std::uint32_t generation) const;
  bool is_busy(std::uint32_t slot) const;  // has something in hand
  bool is_full(std::uint32_t slot) const;
  bool leaves_by_itself(std::uint32_t slot) const;  // by this_child
  Time idle_since(std::uint32_t slot, Time now) const;
  Clock::duration age(std::uint32_t slot, Time now) const { return now - children_[slot].forked_at; }
  std::string serving(std::uint32_t slot) const;  // " while serving 127.0.0.1:4711 'GET /' for 2s", or ""

  // ---- all
  // But for the backlog. A replacement that is younger than `trial` still starts, whatever it says.
  Census census(std::uint32_t generation, std::chrono::milliseconds idle_timeout, Clock::duration trial,
                Time now) const;
  std::uint64_t accepted() const;  // connections, by all children that there are and were
  std::uint64_t aborted() const;   // of those: were in hand when their child died
  // A child forked after `time` has finished a connection, or has lived for `trial` and has one.
  bool proven_since(Time time, Clock::duration trial, Time now) const;
  bool lived_since(Time time, Clock::duration trial, Time now) const;  // the same, whatever it has done
  bool any_serving() const;
  // Nobody is left but children that are busy or stopped, or were told to leave before `told`.
  bool none_accepts(Time told) const;
  bool all_lost() const;  // nobody is left but children that KILL could not end

 private:
  const Scoreboard& scoreboard_;
  const std::uint32_t service_;
  const std::uint32_t first_slot_;
  const ChildTable& children_;
};

}  // namespace brood
