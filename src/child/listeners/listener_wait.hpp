// SPDX-License-Identifier: MIT
// How a child waits for its listeners, and how that wait is ended. In a child. Accepts nothing itself.
//
// There are three ways to wait:
// * In accept(), with one listener. The parent writes the order to leave into the child's slot, then sends
//   SIGTERM, which only wakes. The handler sets a flag and puts a dead descriptor in the place of the
//   listener (dup3): an accept() that waits is restarted (SA_RESTART) on the dead descriptor and fails; one
//   that is about to begin fails too; a read() in user code goes on. No poll, no timeout, no further system
//   call for a connection. A signal interrupts one thread; with several threads the handler signals each.
// * In epoll_wait() with EPOLLEXCLUSIVE, with several listeners. Each thread has an epoll set of its own:
//   in a common one, a thread that takes an event wakes the next one for as long as the event is there. The
//   handler replaces the epoll descriptors. EPOLLEXCLUSIVE strands a connection if the child that was woken
//   for it leaves. So each child takes a last look at every listener before it leaves, and the parent sends
//   SIGUSR1 ("look again") to an idle child if it sees a backlog.
// * In the event loop of the child model, which has the listeners in its epoll set. The handler makes
//   leave_fd() readable. SIGUSR1 makes a descriptor readable that is watched as if it were a listener.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "brood/descriptor.hpp"
#include "child/listeners/listener_watch.hpp"
#include "listen/child_listener.hpp"

namespace brood {

class ListenerWait {
 public:
  // `threads` may wait in it at once. Before the signal handlers are set up. Throws SystemError.
  ListenerWait(std::vector<ChildListener> listeners, unsigned threads);
  ListenerWait(const ListenerWait&) = delete;
  ListenerWait& operator=(const ListenerWait&) = delete;

  // ---- Any thread

  const std::vector<ChildListener>& listeners() const { return listeners_; }  // `gone` in turn
  int dead() const { return dead_.get(); }  // a descriptor on which every wait fails
  bool in_epoll() const { return in_epoll_; }
  // The index of a listener that may be ready. Empty with errno: the wait was interrupted or ended.
  std::optional<std::size_t> wait() const;

  // ---- In turn

  void wait_in_epoll();                  // from now on; throws SystemError
  void take_away(std::size_t listener);  // the parent has closed it; throws SystemError
  // The dead descriptor replaces every listener. Otherwise a process that outlives its parent would
  // be in the way of the next start.
  void close_listeners();
  // A wake-up that was meant for this child may have come together with the order to leave. The index of a
  // listener to look at once more before it leaves; empty: no more. After a look that found nothing there is
  // none for that listener.
  std::optional<std::size_t> claim_last_look();
  void looked_in_vain(std::size_t listener) { looks_[listener] = 0; }
  void skip_last_looks();

  // ---- For an event loop of the model's. The first three are called by its first thread, as in Child

  void watch_listeners(int epoll, std::uint64_t data);
  int listener_fd();
  int leave_fd();
  bool own_loop() const { return own_loop_; }
  ListenerWatch& watch() { return *watch_; }  // with own_loop()
  bool set_watched(bool watched) { return own_loop_ && watch_->set(watched); }

 private:
  void watch_listeners(int epoll, std::uint64_t data, ListenerWatch::Reports reports);

  std::vector<ChildListener> listeners_;
  const unsigned threads_;
  // The descriptors that the signal handler replaces, before and after wait_in_epoll(), and with a loop.
  const int first_listener_;
  const std::span<const int> waits_in_accept_{&first_listener_, 1}, none_;
  std::vector<int> waits_in_epoll_;  // one for each thread
  std::span<const int> all_in_epoll_;
  std::atomic<bool> in_epoll_ = false;  // from then on `waits_in_epoll_` stays as it is
  std::vector<Descriptor> epolls_;      // with several listeners, or one for listener_fd()
  Descriptor dead_;
  std::optional<ListenerWatch> watch_;
  bool own_loop_ = false;
  Descriptor leave_;
  std::vector<unsigned> looks_;  // last looks that remain, by listener; empty: threads wait in accept()
};

}  // namespace brood
