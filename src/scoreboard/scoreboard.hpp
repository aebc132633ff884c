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
  std::string name;     // "": an entry for a service that is added later
  std::uint32_t slots;  // how many children it can have at most
};

class Scoreboard {
 public:
  // An empty path: in anonymous memory, which other processes cannot read. Throws SystemError.
  Scoreboard(const std::string& path, std::string_view server_name, std::span<const ServiceShape> services);
  // Maps the one that was created before exec(). Throws ConfigurationError if its layout has another version,
  // Error or SystemError if it is not a scoreboard.
  Scoreboard(MappingDescriptors descriptors, std::string path, Side side);

  // ---- In the parent and in children

  const Header& header() const;
  const ServiceOrders& service(std::uint32_t service) const;
  std::optional<std::uint32_t> find(std::string_view name) const;
  const SlotOrders& slot_orders(std::uint32_t slot) const;
  Slot& slot(std::uint32_t slot) const;
  GossipHeader& gossip() const;
  ServiceGossip& service_gossip(std::uint32_t service) const;

  // The child changes its own bit; the parent clears it when the child has ended.
  void set_idle(std::uint32_t slot, bool idle) const;
  bool is_idle(std::uint32_t slot) const;
  std::span<IdleWord> idle_words(std::uint32_t service) const;
  std::uint32_t count_idle(std::uint32_t service) const;  // counts the bits: there is no counter to drift

  // The thread that holds the lock; 0: none. True at the moment of reading at best.
  pid_t lock_holder() const;
  void break_lock() const;  // in the parent, if the holder is gone or never existed

  // ---- In the parent

  Header& orders() const;
  void remove_file() const { mapping_.remove_file(); }  // unless another server's file has replaced it
  ServiceOrders& service_orders(std::uint32_t service) const;
  SlotOrders& writable_slot_orders(std::uint32_t slot) const;

  // Entries of services that a reload adds and removes. free_entry: the smallest one that has so many slots.
  std::optional<std::uint32_t> free_entry(std::uint32_t slots) const;
  void occupy(std::uint32_t service, std::string_view name) const;
  void vacate(std::uint32_t service) const;  // all of its slots must be free; resets its figures

  // While the lock is held. free() adds the slot's figures to those of its service, its open connections as
  // aborted, and returns the number of these.
  void claim(std::uint32_t slot, std::uint32_t generation, Time now) const;
  std::uint32_t free(std::uint32_t service, std::uint32_t slot) const;

  const MappingDescriptors& descriptors() const { return mapping_.descriptors(); }

  // ---- In a child, before user code runs
  void give_up_orders() { mapping_.give_up_orders(); }

 private:
  IdleWord& idle_word(std::uint32_t slot) const;

  std::uint32_t slot_count_ = 0;
  Layout layout_;
  Mapping mapping_;
};

}  // namespace brood
