// SPDX-License-Identifier: MIT
// What runs in a forked child: the seam's real side. Waits for connections on the shared listeners, and
// leaves when it is told to without losing one and without cutting a handler short.
//
// How a retire order ends the wait. The parent writes the order into the child's slot, then sends SIGTERM,
// which only wakes. Its handler sets a flag and puts a dead descriptor in the place of the one that the child
// waits on: a waiting accept() is restarted (SA_RESTART) on the dead descriptor and fails; one that is about
// to begin fails too; a read() in user code goes on. No poll, no timeout, no further system call a
// connection. A signal interrupts one thread: where several wait, the handler passes it on to each.
//
// With several listeners the child waits in epoll_wait() with EPOLLEXCLUSIVE, and the trick is played on the
// epoll descriptor. EPOLLEXCLUSIVE strands a connection when the child that was woken for it goes: so a last
// look at each listener before leaving, and a nudge (SIGUSR1, which does nothing but interrupt) from the
// parent that sees a backlog beside idle children.
//
// A model with a loop of its own has the listeners in its epoll set. There a retire order makes leave_fd()
// readable, and a nudge a descriptor that is watched as if it were a listener.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/identity.hpp"
#include "brood/child.hpp"
#include "brood/server_base.hpp"
#include "child/listener_watch.hpp"
#include "listen/child_listener.hpp"
#include "scoreboard/child_slot.hpp"

namespace brood {

// What crosses the fork.
struct ChildSetup {
  ServerBase* server;
  const Scoreboard* scoreboard;
  std::uint32_t service, slot;
  int wake_fd;
  std::vector<ChildListener> listeners;
  Identity identity;
  pid_t parent;
  ChildLimits limits;
};

class ChildProcess final : public Child, private ConnectionHost {
 public:
  // Sets up the signal handlers; all signals are blocked until then, and unblocked here.
  explicit ChildProcess(const ChildSetup& setup);

  const ChildLimits& limits() const override { return limits_; }
  std::optional<Connection> accept() override;
  void finished(Connection connection, Outcome outcome) override;
  std::optional<ConnectionId> receive(Receiver& receiver) override;
  void finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                std::uint64_t bytes_written) override;
  void note(ConnectionId id, std::string_view text) override { slot_.note(id, text); }
  bool leaving() const override;
  std::optional<Connection> try_accept() override;
  void watch_listeners(int epoll, std::uint64_t data) override;
  int listener_fd() override;
  int leave_fd() override;

  static ChildProcess* serving();  // of this process; nullptr: there is none, or not yet
  void ready();
  void leave();  // nothing more is accepted, and the server's code hears of it; idempotent
  // For who was called away (child_signals::leave): the slot goes back to the parent as soon as no thread is
  // about to accept. False: there is no parent.
  bool detach();

 private:
  template <typename Attempt>
  bool wait_and(const Attempt& attempt);
  template <typename Attempt>
  bool look_at_all(const Attempt& attempt);
  template <typename Attempt>
  bool last_look(const Attempt& attempt);
  std::optional<std::size_t> claim_look();
  std::optional<Connection> accept_from(std::size_t listener, int flags);

  std::unique_lock<std::mutex> turn() const;
  std::size_t wait_for_listener() const;  // the index; listeners_.size(): interrupted
  void wait_in_epoll();
  void join_threads_that_wait();
  void failed_on(std::size_t listener, int error_number);
  void back_off(std::size_t listener, int error_number);
  bool claim_place();
  void settle_try(bool accepted);
  void end_loop();
  void let_listeners_go() const;
  // The caller has the turn:
  void publish_leaving();
  void hand_back();
  void tell_server();  // once that it leaves; without the turn
  Reason why() const;

  const ChildLimits limits_;
  const pid_t parent_;
  ServerBase& server_;
  const std::chrono::milliseconds detach_timeout_;
  ChildSlot slot_;
  std::vector<ChildListener> listeners_;
  Descriptor dead_;                // every wait on it fails
  Descriptor epoll_;               // with several listeners, or for listener_fd()
  std::atomic<int> waits_in_{-1};  // the same, for threads to wait in; -1: they wait in accept()
  std::optional<ListenerWatch> watch_;
  bool own_loop_ = false;  // the model's
  Descriptor leave_;

  mutable std::mutex turn_;      // where there are threads, for what follows
  unsigned inside_ = 0;          // threads in accept() or take()
  std::vector<unsigned> looks_;  // last ones that are left, a listener
  bool asked_ = false;
  bool left_ = false;
  bool detaching_ = false, handed_back_ = false;
  bool told_server_ = false;
  unsigned trying_ = 0;  // threads in try_accept()
  bool nudged_ = false;  // and something may still wait
  std::atomic<std::chrono::milliseconds> back_off_{std::chrono::milliseconds(0)};  // any thread's
};

}  // namespace brood
