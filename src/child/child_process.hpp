// SPDX-License-Identifier: MIT
// The Child that a child model sees, in a forked child: accepts on the shared listeners, and leaves when the
// child is told to without losing a connection and without cutting a handler short.
//
// The code is in five files: child_accepting.cpp gets connections, proxy/child_beginning.cpp waits for their
// PROXY headers, connection/child_patience.cpp limits the waits for clients while others wait for a child,
// child_leaving.cpp ends all that, and child_process.cpp has the rest. How a child waits is
// ListenerWait's.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "brood/counters.hpp"
#include "brood/server_base.hpp"
#include "brood/this_child.hpp"
#include "child/access_log.hpp"
#include "child/admission/admission.hpp"
#include "child/child_setup.hpp"
#include "child/leave_state.hpp"
#include "child/listeners/listener_wait.hpp"
#include "child/memory_limit.hpp"
#include "scoreboard/child_slot.hpp"

namespace brood {

class AwaitedHeaders;
struct AwaitedConnection;

class ChildProcess final : public Child, private ConnectionHost {
 public:
  // Sets up the signal handlers; all signals are blocked until then, and unblocked here. Throws SystemError.
  ChildProcess(ChildSetup&& setup, MemoryLimit memory, std::unique_ptr<AccessLog> access_log);
  ~ChildProcess();

  const ChildLimits& limits() const override { return limits_; }
  std::optional<Connection> accept() override;
  void finished(Connection connection, Outcome outcome) override;
  std::optional<ConnectionId> receive(Receiver& receiver) override;
  void finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                std::uint64_t bytes_written) override;
  void note(ConnectionId id, std::string_view text) override { slot_.note(id, text); }
  bool detached() const override { return slot_.is_detached(); }
  void extend_deadline(ConnectionId id, Time until) override { slot_.extend_deadline(id, until); }
  void begin_read(int socket) override;
  bool read_was_cut() const override;
  void end_read() override;
  bool overloaded() const override;
  std::chrono::nanoseconds patience(std::chrono::nanoseconds waited, std::uint64_t bytes) override;
  bool leaving() const override;
  std::optional<Connection> try_accept() override;
  void watch_listeners(int epoll, std::uint64_t data) override;
  int listener_fd() override;
  int leave_fd() override;
  unsigned beginning() const override;

  // In the parent, before the first fork: so the memory that it needs is shared. Throws SystemError.
  static void prepare();

  static ChildProcess* serving();  // the one of this process; nullptr: none, or not ready yet
  void ready();
  this_child::Load load() const;
  static void measure_wait();  // of each connection, from now on
  // Nothing more is accepted: tells the parent, and calls on_child_leaving(). Idempotent.
  void leave();
  // After child_signals::leave(): hands the slot back to the parent as soon as no thread accepts. False: the
  // parent is gone.
  bool detach();

 private:
  // ---- child_accepting.cpp. An Attempt is given a listener's index, and is true if it got something.
  template <typename Attempt>
  bool wait_and(const Attempt& attempt);
  template <typename Attempt>
  bool look_at_all(const Attempt& attempt);
  template <typename Attempt>
  bool last_look(const Attempt& attempt);
  std::optional<std::size_t> wait_for_listener() const;  // empty: interrupted, or told to leave
  std::optional<Connection> accept_from(std::size_t listener, int flags);
  // Empty: the client is refused.
  enum class ClientIs { at_the_other_end, behind_a_balancer };
  std::optional<ClientCounts::Place> admit(const Address& client, std::size_t listener, int socket,
                                           ClientIs where = ClientIs::at_the_other_end);
  void note_wait(ConnectionId id, int socket, int listener);
  void begin_wait();
  bool begin_try();
  bool leave_to_siblings();
  void end_if_copy() const;
  void end_try(bool accepted);
  void failed_on(std::size_t listener, int error_number);
  void back_off(std::size_t listener, int error_number);

  // ---- proxy/child_beginning.cpp. True: the connection has begun. False: it was taken away, and has ended
  // or is awaited.
  bool await_header(std::optional<Connection>& connection);
  bool try_header(std::optional<Connection>& connection);
  std::optional<Connection> take_begun();
  bool trusts_sender(std::optional<Connection>& connection);
  bool conclude(AwaitedConnection ended, std::optional<Connection>& begun);
  bool begin(Connection& connection);
  void refuse(Connection connection, std::string_view why);
  void end_uncounted(Connection connection, ChildSlot::NotCounted as);
  void look_after_end();

  // ---- connection/child_patience.cpp
  void begin_loop();
  unsigned clients_waiting() const;
  bool refused_for_overload() const;  // a connection that was just accepted

  // ---- child_leaving.cpp
  Reason why() const;
  Reason why_replaced() const;
  void act(LeaveAction action);  // the caller has the turn
  void end_loop();
  void hold_back();
  bool loop_holds_back(unsigned accepting);
  void leave_last_looks();
  Time hold_until();
  void call_leave_hook();  // if it is due; the caller does not have the turn

  static constexpr std::chrono::milliseconds longest_hold{250};

  void tell_end(ConnectionId id, Outcome outcome, std::uint64_t bytes_read, std::uint64_t bytes_written,
                Time now);

  // Threads of this child take turns if there are several.
  std::unique_lock<std::mutex> turn() const;

  const ChildLimits limits_;
  const pid_t parent_;
  ServerBase& server_;
  const std::chrono::milliseconds detach_timeout_;
  ChildSlot slot_;
  // How long the next pause is after accept() ran out of descriptors or memory; 0: the last accept() worked.
  std::atomic<std::chrono::milliseconds> back_off_{std::chrono::milliseconds(0)};
  MemoryLimit memory_;                           // in turn
  const std::unique_ptr<AccessLog> access_log_;  // nullptr: none
  const std::unique_ptr<Admission> admission_;   // nullptr: every client may come in
  const Counters counters_;                      // of the server
  Time held_until_;                              // in turn; Time{}: it has not been held back yet
  mutable std::mutex turn_;
  // In turn, but for what ListenerWait says otherwise of:
  ListenerWait wait_;
  std::unique_ptr<AwaitedHeaders> awaited_;  // nullptr: no listener has `proxy`
  LeaveState state_;
};

}  // namespace brood
