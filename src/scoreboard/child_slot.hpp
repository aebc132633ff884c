// SPDX-License-Identifier: MIT
// A child's side of the scoreboard: its own row, and the orders that it reads. Knows nothing of sockets,
// signals or user code. Where the child has several threads, they take turns.
//
// The path of a connection (accepted, finished) takes no lock and makes no system call, but for one write()
// where a threshold is crossed that the parent wants to hear of.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include "scoreboard/open_connections.hpp"
#include "scoreboard/scoreboard_lock.hpp"

namespace brood {

class ChildSlot {
 public:
  // How much the child can take: so many connections in hand, by one thread or several.
  struct Capacity {
    unsigned connections = 1;
    bool threads = false;
  };
  // wake_fd: the parent's eventfd; not owned.
  ChildSlot(const Scoreboard& scoreboard, std::uint32_t service, std::uint32_t slot, int wake_fd,
            Capacity capacity);

  // ---- lifecycle: under the lock; tells the parent
  void ready();               // starting -> serving, idle
  void ask(Reason reason);    // serves on until it is granted
  void leave(Reason reason);  // serving -> leaving
  // Gives the row away for good: what is in hand counts as finished, nothing is written from then on, and
  // then the parent is told.
  void detach();

  // Where another child should do what this one can't.
  void call_parent() { wake(); }
  // One of the listeners has ended, and not because this child is to leave.
  void tell_of_listener() { wake(look_at_listeners); }

  // ---- orders
  bool must_leave() const {
    return is_detached() || orders_.order.load(std::memory_order_acquire) == Order::leave;
  }
  Reason leave_reason() const { return static_cast<Reason>(orders_.reason.load(std::memory_order_relaxed)); }
  bool outdated() const {
    return service_.generation.load(std::memory_order_relaxed) !=
           orders_.generation.load(std::memory_order_relaxed);
  }
  bool at_cap() const {
    const std::uint32_t cap = service_.max_requests_per_child.load(std::memory_order_relaxed);
    return cap != 0 && row_.figures.accepted.load(std::memory_order_relaxed) >= cap;
  }

  // ---- activity: without lock between processes
  ConnectionId accepted(const sockaddr_storage& peer, std::uint32_t listener);
  void finished(ConnectionId id, bool failed, std::uint64_t bytes_read, std::uint64_t bytes_written);
  void more_waits();  // where the child was woken: the parent is told, if there are idle siblings
  void note(ConnectionId id, std::string_view text);  // at most note_size bytes, the rest is cut
  std::uint32_t open_connections() const { return row_.open_connections.load(std::memory_order_relaxed); }
  bool full() const { return open_connections() >= capacity_.connections; }

 private:
  // Left: it must not be offered again. Detached: row and orders are another child's by now.
  enum class Stay { here, left, detached };
  bool is_detached() const { return stay_->load(std::memory_order_relaxed) == Stay::detached; }
  std::unique_lock<std::mutex> turn() const;
  void show(ConnectionId id);
  void count_as_finished(ConnectionId id, std::int64_t now);
  // Not held: the parent is gone, and nobody reads the table any more.
  ScoreboardLock lock();
  void change_lifecycle(Lifecycle lifecycle);
  void wake(WakeReason reason = look_at_children);

  const Scoreboard& scoreboard_;
  const ServiceOrders& service_;
  const SlotOrders& orders_;
  Slot& row_;
  const std::span<IdleWord> idle_words_;  // of the service: at hand, without a detour through the mapping
  IdleWord& idle_word_;                   // the one with our bit
  const std::uint64_t idle_bit_;
  const Capacity capacity_;
  std::unique_ptr<std::atomic<Stay>> stay_ = std::make_unique<std::atomic<Stay>>(Stay::here);
  std::unique_ptr<std::mutex> turn_;  // among the threads of this child; none: there is one
  OpenConnections open_;              // the row has place for one connection: it shows the oldest
  const std::uint32_t service_index_;
  const std::uint32_t slot_index_;
  const int wake_fd_;
};

}  // namespace brood
