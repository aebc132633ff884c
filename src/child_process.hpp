// SPDX-License-Identifier: MIT
// What runs in a forked child: the seam's real side. Waits for connections on the shared listeners, and
// leaves when it is told to without losing one and without cutting a handler short.
//
// How a retire order ends the wait. The parent writes the order into the child's slot, then sends SIGTERM,
// which only wakes. Its handler sets a flag and puts a dead descriptor in the place of the one that the child
// waits on: a waiting accept() is restarted (SA_RESTART) on the dead descriptor and fails; one that is about
// to begin fails too; a read() in user code goes on. No poll, no timeout, no further system call a
// connection.
//
// With several listeners the child waits in epoll_wait() with EPOLLEXCLUSIVE, and the trick is played on the
// epoll descriptor. EPOLLEXCLUSIVE strands a connection when the child that was woken for it goes: so a last
// look at each listener before leaving, and a nudge (SIGUSR1, which does nothing but interrupt) from the
// parent that sees a backlog beside idle children.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "brood/child.hpp"
#include "brood/server_base.hpp"
#include "child_slot.hpp"
#include "identity.hpp"

namespace brood {

inline constexpr int retire_signal = 15;  // SIGTERM; without an order in the slot it means nothing
inline constexpr int nudge_signal = 10;   // SIGUSR1

struct ChildListener {
  int descriptor;  // the parent's, inherited
  std::string name;
};

class ChildProcess final : public Child, private ConnectionKeeper {
 public:
  // Sets up the signal handlers; all signals are blocked until then, and unblocked here.
  ChildProcess(ChildSlot slot, std::vector<ChildListener> listeners, pid_t parent);

  std::optional<Connection> accept() override;
  std::optional<Connection> try_accept() override;
  void finished(Connection connection, Outcome outcome) override;
  int listener_fd() override;
  int leave_fd() override;
  bool leaving() const override;

  void ready() { slot_.ready(); }
  void leave() { slot_.leave(why()); }

 private:
  void note(std::string_view text) override { slot_.note(text); }

  std::optional<Connection> accept_from(std::size_t listener);
  std::optional<Connection> last_look();
  std::size_t wait_for_listener();  // the index; listeners_.size(): interrupted
  void wait_in_epoll();
  void accept_failed(std::size_t listener, int error_number);
  Reason why() const;

  ChildSlot slot_;
  std::vector<ChildListener> listeners_;
  pid_t parent_;
  Descriptor dead_;   // every wait on it fails
  Descriptor epoll_;  // with several listeners; none: the child waits in accept()
  Descriptor leave_;
  std::size_t looked_ = 0;  // listeners that had their last look
  bool asked_ = false;
  std::chrono::milliseconds back_off_{0};
};

// The life of a child, from fork to exit code. The caller has given up what is the parent's alone.
struct ChildBirth {
  ServerBase* server;
  const Scoreboard* scoreboard;
  std::uint32_t service, slot;
  int wake_fd;
  std::vector<ChildListener> listeners;
  Identity identity;
  pid_t parent;
};
int live(const ChildBirth& birth);

}  // namespace brood
