// SPDX-License-Identifier: MIT
// A child's side of the scoreboard: it writes its own row, and reads the parent's orders. Knows nothing of
// sockets, signals or user code. Several threads of a child take turns.
//
// accepted() and finished() take no lock between processes and make no system call, but for one write() if a
// threshold is crossed that the parent waits for.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "brood/address.hpp"
#include "scoreboard/history/child_past.hpp"
#include "scoreboard/lock/scoreboard_lock.hpp"
#include "scoreboard/open_connections.hpp"

namespace brood {

class ChildSlot {
 public:
  struct Capacity {
    unsigned connections = 1;  // that may be open at once
    bool threads = false;      // several threads call this object
  };
  ChildSlot(const Scoreboard& scoreboard, std::uint32_t slot, Capacity capacity);

  // ---- Lifecycle: each takes the lock, then wakes the parent
  void ready();               // starting -> serving, idle
  void ask(Reason reason);    // asks the parent for a replacement; the child serves until it has one
  void leave(Reason reason);  // serving -> leaving
  // Gives the row back. Open connections count as finished, and nothing is written to the row afterwards.
  void detach();

  // Wakes the parent: another child should take what this one cannot.
  void call_parent() { wake(); }
  // Wakes the parent: a listener does not accept any more, and the child was not told to leave.
  void report_listener() { wake(Wake::look_at_listeners); }

  bool is_detached() const { return stay_.load(std::memory_order_relaxed) == Stay::detached; }

  // ---- Orders
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

  // By a tenth, or by 2. `coming`: so many threads accept at this moment.
  bool far_beyond_cap(unsigned coming = 0) const {
    const std::uint32_t cap = service_.max_requests_per_child.load(std::memory_order_relaxed);
    return cap != 0 && row_.figures.accepted.load(std::memory_order_relaxed) + coming >=
                           cap + std::uint64_t{std::max(2U, cap / 10)};
  }
  // The parent may start children now.
  bool may_be_replaced() const { return service_.throttled_until.load(std::memory_order_relaxed) == 0; }

  // ---- Activity: no lock between processes
  // `counts`: as accepted, from now on. Otherwise begin() counts it.
  ConnectionId accepted(const sockaddr_storage& peer, std::uint32_t listener, bool counts = true);
  void begin(ConnectionId id, const Address& client);
  bool counts(ConnectionId id) const;
  void finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read, std::uint64_t bytes_written,
                Time at = Clock::now());
  // One that is not counted ends as a probe, or refused for its header, or as refused() has counted it.
  enum class NotCounted { probe, refused, counted_by_reason };
  void finished(ConnectionId id, NotCounted as);
  void extend_deadline(ConnectionId id, Time until);
  void refused(RefusedBy by);  // it was never accepted()
  // Of a connection that was just accepted: whether to measure how long it has waited in the queue of its
  // listener. Once.
  bool measures_wait(ConnectionId id);
  // `each`: of every connection, not only of those above. True: the queue may be long.
  bool waited(ConnectionId id, std::chrono::milliseconds time, bool each);
  void saw_waiting(unsigned connections);  // in the queue of a listener, at this moment
  // Valid until the connection is finished. With threads it is a copy, in `copy`.
  const OpenConnections::Entry& open_connection(ConnectionId id,
                                                std::optional<OpenConnections::Entry>& copy) const;
  void more_waits();  // at the listener that woke the child: wakes the parent if a sibling is idle
  void note(ConnectionId id, std::string_view text);  // at most note_size bytes; the rest is cut
  std::uint32_t open_connections() const { return row_.open_connections.load(std::memory_order_relaxed); }
  bool full() const { return open_connections() >= capacity_.connections; }
  // How many more are open than in the sibling with the fewest of those that can take another one.
  std::uint32_t more_than_a_sibling() const;

  // ---- Waits of handlers for their clients' input; any thread
  void begin_read();
  void end_read();
  // See ServiceOrders.
  std::chrono::nanoseconds overload_read_timeout() const {
    return std::chrono::nanoseconds(service_.overload_read_timeout.load(std::memory_order_relaxed));
  }
  std::uint32_t overload_queue() const { return service_.overload_queue.load(std::memory_order_relaxed); }
  // How many connections all children of the service can have.
  unsigned places() const;
  // A wait for input is overdue since then, and so many clients wait for a child. True: fewer waits of
  // siblings are overdue for longer, and the connection must end; until it is finished, it counts as one
  // for which a child comes free. If several threads of the child wait, the row has the last one that asked.
  bool must_end(Time overdue_since, unsigned clients_waiting);
  void not_overdue();  // nor does one wait that was

  // Of the children that were not told to leave, with this one.
  struct Pool {
    unsigned spares = 0, busy = 0, children = 0;
    std::uint64_t finished = 0;             // connections
    std::chrono::microseconds duration{0};  // of these together
  };
  Pool look_at_pool() const;

 private:
  // Left: the idle bit must not be set again. Detached: row and orders belong to another child.
  enum class Stay { here, left, detached };
  // Moves as long as one thread knows it. On the heap it would cost each child a page of its own.
  struct SharedStay : std::atomic<Stay> {
    SharedStay() : std::atomic<Stay>(Stay::here) {}
    SharedStay(SharedStay&& other) noexcept : std::atomic<Stay>(other.load()) {}
  };
  std::unique_lock<std::mutex> turn() const;
  void show(ConnectionId id);
  void note_idle(std::uint32_t count);
  bool in_loop() const { return capacity_.connections > 1 && !capacity_.threads; }
  void count_as_finished(ConnectionId id, std::int64_t now);
  void show_title() const;
  void note_oldest() const;
  void make_room();
  // Not held: the parent is gone, and nobody reads the table any more.
  ScoreboardLock lock();
  void change_lifecycle(Lifecycle lifecycle);
  std::uint32_t seal() const;
  unsigned count_spares() const { return count_bits(idle_words_, spare_words_); }
  void wake(Wake what = Wake::look) const;

  const Scoreboard& scoreboard_;
  const ServiceOrders& service_;
  const SlotOrders& orders_;
  Slot& row_;
  const std::span<IdleWord> idle_words_;  // of the service
  const std::span<const IdleWord> spare_words_;
  IdleWord& idle_word_;  // the one with the bit of this child
  const std::uint64_t idle_bit_;
  const Capacity capacity_;
  SharedStay stay_;
  std::unique_ptr<std::mutex> turn_;  // between the threads of this child; nullptr: it has one
  OpenConnections open_;              // the row shows the oldest
  const std::uint32_t slot_index_;
  ChildPast past_;
  ConnectionId measured_ = OpenConnections::none;  // see measures_wait()
};

}  // namespace brood
