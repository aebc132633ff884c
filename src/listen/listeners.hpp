// SPDX-License-Identifier: MIT
// The listeners of one service: opened, changed at a reload, and drained before they are closed. Parent only.
#pragma once

#include <poll.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "listen/drain.hpp"
#include "listen/listener.hpp"

namespace brood {

class Listeners {
 public:
  // Opens all of them, except those that the former program hands over. `service`: its name, for the log.
  // Throws SystemError or ConfigurationError.
  Listeners(std::string service, const std::vector<ListenSpec>& specs, unsigned backlog, WorkKind takes,
            std::span<const HandedOverListener> former = {});
  // The service is there: it keeps what it has inherited, whatever becomes of others.
  void keep();
  // Takes over the listeners of the former program, and continues the drain of `drained` until `drain_until`.
  void take_over(std::vector<Listener> serving, std::vector<Listener> drained, Time now, Time drain_until);
  std::vector<HandedOverListener> hand_over() const;
  Time drain_until() const { return drain_ ? drain_->limit() : never; }

  std::string addresses() const;      // for people
  unsigned backlog() const;           // includes those that are drained
  std::vector<ino_t> inodes() const;  // of the sockets that serve
  // Includes those that are drained, which must still be served.
  std::vector<ChildListener> of_a_child() const;

  // For poll(). Without those that are drained, whose queues are looked at regularly.
  void add_watched(std::vector<pollfd>& to) const;
  // Opens the listeners again that another process has shut down, or closes them if that fails. True: there
  // were some.
  bool revive();

  bool is_open(const ListenSpec& spec) const;  // and is not drained
  // change() would not open it: it is open, or can be taken back from the drain.
  bool has_already(const ListenSpec& spec) const;
  // Opens the listeners that are new in `specs`, for change(). If it throws, nothing has changed. If change()
  // is not called, forget_prepared() closes them.
  void prepare(const std::vector<ListenSpec>& specs);
  void forget_prepared() { prepared_.clear(); }
  // Opens the listeners that are new. If it throws, nothing has changed. Listeners that are not in `specs`
  // are drained, for `timeout` at most (0: no limit), and closed.
  void change(const std::vector<ListenSpec>& specs, std::chrono::milliseconds timeout, Time now);
  // The same when all are closed, with what can't change while one is open.
  void open_again(const std::vector<ListenSpec>& specs, unsigned backlog, WorkKind takes, Time now);
  // A step of the drain; returns when the next one is due.
  Time drain_on(Time now);

  // For the end of the service: begins to drain all listeners, until `limit`. done() and settled() of drain()
  // say when they can be closed.
  void drain_all(Time now, Time limit);
  Drain& drain() { return *drain_; }
  bool draining() const { return drain_.has_value(); }
  void close_drained();
  void close_all();                             // at once
  void forget();                                // closes the descriptors, in a child of another service
  std::uint64_t lost() const { return lost_; }  // connections that were in a queue when it was closed

 private:
  // `specs`: all that are wanted. What is not among them goes, and shares its port until then.
  std::vector<Listener> open(const ListenSpec& spec, const std::vector<ListenSpec>& specs,
                             std::span<const HandedOverListener> former = {}) const;
  std::vector<Listener> take_or_open(const ListenSpec& spec, const std::vector<ListenSpec>& specs);

  std::string service_;
  unsigned backlog_;
  WorkKind takes_;
  std::vector<Listener> listeners_, prepared_;
  std::optional<Drain> drain_;  // of those that are being closed
  std::uint64_t lost_ = 0;
};

}  // namespace brood
