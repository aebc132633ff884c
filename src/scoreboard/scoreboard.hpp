// SPDX-License-Identifier: MIT
// The scoreboard of one service: its table laid out in a mapping, the wake-up of the parent, and the changes
// of a slot that the parent makes. A child has a ChildSlot on top of it. Decides nothing, forks nothing.
//
// Each change is idempotent and made while a ScoreboardLock is held.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "scoreboard/history/journal.hpp"
#include "scoreboard/mapping.hpp"
#include "scoreboard/slot.hpp"

namespace brood {

// What the scoreboards of a server say of the server.
struct ServerFacts {
  std::string name;
  std::int64_t started_at = 0;
  std::uint64_t parent_start_time = 0;
  std::int32_t parent_pid = 0;
  std::uint32_t log_epoch = 0;
  bool stopping = false, draining = false;  // one of them at most
  std::uint32_t upgrades = 0;

  static ServerFacts of_this_process(std::string name);
};

// What a child tells the parent when it wakes it.
enum class Wake : std::uint64_t {
  look = 1,                                   // the table has changed
  look_at_listeners = std::uint64_t{1} << 32  // and a listener does not accept any more
};

class Scoreboard {
 public:
  // With `slots` rounded up to a multiple of bits_per_word. An empty path: in anonymous memory, which other
  // processes cannot read. Throws SystemError.
  Scoreboard(const std::string& path, const ServerFacts& server, std::string_view service,
             std::uint32_t slots, std::uint32_t position = 0);
  // Maps the one that was created before exec(). Throws ConfigurationError if its layout has another version,
  // Error or SystemError if it is not a scoreboard.
  Scoreboard(MappingDescriptors descriptors, Descriptor wake, std::string path, Side side);

  // ---- In the parent and in children

  std::uint32_t slots() const { return slots_; }
  const Header& header() const;
  const ServerFields& server() const;
  const ServiceOrders& service() const;
  const SlotOrders& slot_orders(std::uint32_t slot) const;
  Slot& slot(std::uint32_t slot) const;
  Evidence& evidence(std::uint32_t slot) const;  // for the child of this slot to write, when it dies
  GossipHeader& gossip() const;

  // The child changes its own bit; the parent clears it when the child has ended.
  void set_idle(std::uint32_t slot, bool idle) const;
  bool is_idle(std::uint32_t slot) const;
  std::span<IdleWord> idle_words() const;
  std::span<const IdleWord> spare_words() const;  // set by the parent: the slots whose idle bits count
  std::uint32_t count_idle() const;               // counts the bits: there is no counter to drift

  HistoryTable& history() const;
  std::span<Shared<std::uint64_t>> busy_times() const;  // by the number of busy children, nanoseconds of each

  // The client places that have memory, and the rates; empty: none.
  std::span<Shared<std::uint64_t>> client_places() const;
  std::span<Shared<std::uint64_t>> client_rates() const;

  int wake_descriptor() const { return wake_.get(); }  // an eventfd; each Wake is added to its counter

  // The thread that holds the lock; 0: none. True at the moment of reading at best.
  pid_t lock_holder() const;

  // ---- In the parent

  void publish(const ServerFacts& facts) const;
  ServerFacts server_facts() const;
  void share_with(gid_t group) const { mapping_.share_with(group); }
  void remove_file() const { mapping_.remove_file(); }  // unless another server's file has replaced it
  bool has_file() const { return mapping_.has_file(); }
  bool give_name_again() const { return mapping_.give_name_again(); }
  ServiceOrders& service_orders() const;
  Journal journal() const;
  SlotOrders& writable_slot_orders(std::uint32_t slot) const;
  // Whether the child of this slot is a spare while its idle bit is set: it was not told to leave, and is not
  // stopped.
  void set_counted(std::uint32_t slot, bool counted) const;

  // From now on children can count clients with so many connections in all. It cannot be undone. Throws
  // SystemError if there is no memory.
  void allocate_clients(std::size_t connections) const;

  // While the lock is held. free() adds the slot's figures to those of the service, its open connections as
  // aborted, and returns the number of these.
  void claim(std::uint32_t slot, std::uint32_t generation, Time now) const;
  std::uint32_t free(std::uint32_t slot) const;
  // starting -> serving, idle.
  void serve(std::uint32_t slot, pid_t pid, std::uint32_t capacity) const;

  // What the child of this slot has left. Not through the mapping: where no child has written, the file has
  // no memory, and may get none.
  CrashEvidence evidence_left(std::uint32_t slot) const;

  const MappingDescriptors& descriptors() const { return mapping_.descriptors(); }

  // ---- In a child, before user code runs
  void give_up_orders() { mapping_.give_up_orders(); }

 private:
  template <typename T>
  T& orders_at(std::size_t offset, std::size_t index = 0) const;  // writable
  template <typename T>
  const T& read_at(std::size_t offset, std::size_t index = 0) const;
  template <typename T>
  T& gossip_at(std::size_t offset, std::size_t index = 0) const;

  std::uint32_t slots_ = 0;
  Layout layout_;
  Mapping mapping_;
  Descriptor wake_;
};

}  // namespace brood
