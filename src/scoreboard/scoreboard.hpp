// SPDX-License-Identifier: MIT
// The table laid out in its mapping, and the changes of a slot that the parent makes. A child has a ChildSlot
// on top of it. Decides nothing, forks nothing.
//
// Each change is idempotent and made while a ScoreboardLock is held.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "scoreboard/mapping.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

struct ServiceShape {
  std::string name;     // "": an entry for a service that comes later
  std::uint32_t slots;  // how many children it can ever have on this table
};

class Scoreboard {
 public:
  // An empty path: in anonymous memory, where readers outside can't see it. Throws SystemError.
  Scoreboard(const std::string& path, std::string_view server_name, std::span<const ServiceShape> services);
  // The one that was made before exec(), as it is. Throws ConfigurationError where its layout is another
  // version's, Error or SystemError where it is none.
  Scoreboard(MappingDescriptors descriptors, std::string path, Side side);

  // ---- both sides

  const Header& header() const;
  const ServiceOrders& service(std::uint32_t service) const;
  std::optional<std::uint32_t> find(std::string_view service) const;
  const SlotOrders& slot_orders(std::uint32_t slot) const;
  Slot& slot(std::uint32_t slot) const;
  GossipHeader& gossip() const;
  ServiceGossip& service_gossip(std::uint32_t service) const;

  // The owner flips it; the parent clears it when it reaps.
  void set_idle(std::uint32_t slot, bool idle) const;
  bool is_idle(std::uint32_t slot) const;
  std::span<IdleWord> idle_words(std::uint32_t service) const;
  std::uint32_t count_idle(std::uint32_t service) const;  // a popcount: there is no counter to drift

  // The thread that holds the lock; 0: none. True at the moment of reading at best.
  pid_t lock_holder() const;
  void break_lock() const;  // in the parent, if the holder is gone or never existed

  // ---- the parent's

  Header& orders() const;
  void remove_file() const { mapping_.remove_file(); }  // unless a successor's has taken its place
  ServiceOrders& service_orders(std::uint32_t service) const;
  SlotOrders& writable_slot_orders(std::uint32_t slot) const;

  // Entries of services that come and go.
  // The smallest free entry that has so many slots.
  std::optional<std::uint32_t> free_entry(std::uint32_t slots) const;
  void occupy(std::uint32_t service, std::string_view name) const;
  void vacate(std::uint32_t service) const;  // its slots are free

  // Under the lock.
  void claim(std::uint32_t slot, std::uint32_t generation, Time now) const;
  // Adds the slot's figures to its service's, what was in hand as aborted. Returns what was in hand.
  std::uint32_t free(std::uint32_t service, std::uint32_t slot) const;

  const MappingDescriptors& descriptors() const { return mapping_.descriptors(); }

  // ---- in a child, before user code runs
  void give_up_orders() { mapping_.give_up_orders(); }

 private:
  IdleWord& idle_word(std::uint32_t slot) const;

  std::uint32_t slot_count_ = 0;
  Layout layout_;
  Mapping mapping_;
};

}  // namespace brood
