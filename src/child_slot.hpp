// SPDX-License-Identifier: MIT
// A child's side of the scoreboard: its own row, and the orders that it reads. Knows nothing of sockets,
// signals or user code. One thread of the child writes.
//
// The path of a connection (accepted, finished) takes no lock and makes no system call, but for one write()
// where a threshold is crossed that the parent wants to hear of.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "scoreboard.hpp"

namespace brood {

class ChildSlot {
 public:
  // wake_fd: the parent's eventfd; not owned.
  ChildSlot(const Scoreboard& scoreboard, std::uint32_t service, std::uint32_t slot, int wake_fd);

  // ---- lifecycle: under the lock; tells the parent
  void ready();               // starting -> serving, idle
  void ask(Reason reason);    // serves on until it is granted
  void leave(Reason reason);  // serving -> leaving

  // ---- orders
  bool must_leave() const { return orders_.order.load(std::memory_order_acquire) == Order::leave; }
  Reason leave_reason() const { return static_cast<Reason>(orders_.reason.load(std::memory_order_relaxed)); }
  bool outdated() const {
    return service_.generation.load(std::memory_order_relaxed) !=
           orders_.generation.load(std::memory_order_relaxed);
  }
  bool at_cap() const {
    const std::uint32_t cap = service_.max_requests_per_child.load(std::memory_order_relaxed);
    return cap != 0 && row_.figures.accepted.load(std::memory_order_relaxed) >= cap;
  }

  // ---- activity: without lock
  void accepted(const sockaddr_storage& peer, std::uint32_t listener);
  void finished(bool failed, std::uint64_t bytes_read, std::uint64_t bytes_written);
  void note(std::string_view text);  // at most note_size bytes, the rest is cut

 private:
  void change(const std::function<void()>& change);
  void wake();

  const Scoreboard& scoreboard_;
  const ServiceOrders& service_;
  const SlotOrders& orders_;
  Slot& row_;
  const std::span<IdleWord> idle_words_;  // of the service: at hand, without a detour through the mapping
  IdleWord& idle_word_;                   // the one with our bit
  const std::uint64_t idle_bit_;
  const std::uint32_t service_index_;
  const std::uint32_t slot_index_;
  const int wake_fd_;
};

}  // namespace brood
