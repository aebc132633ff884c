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
  // Opens them all, but for those that a former program left. `service`: whose they are, for the log. Throws
  // SystemError or ConfigurationError.
  Listeners(std::string service, const std::vector<ListenSpec>& specs, unsigned backlog, WorkKind takes,
            std::span<const HandedOverListener> former = {});
  // Takes in what it left; that which is drained goes on with it, until `drain_until`.
  void take_over(std::vector<Listener> serving, std::vector<Listener> drained, Time now, Time drain_until);
  std::vector<HandedOverListener> hand_over() const;
  Time drain_until() const { return drain_ ? drain_->limit() : never; }

  std::string addresses() const;  // for people
  unsigned backlog() const;       // of those that are drained, too
  // Those that are drained still have to be served.
  std::vector<ChildListener> of_a_child() const;

  // For poll(). Not those that are drained: their queues are looked at again and again.
  void add_watched(std::vector<pollfd>& to) const;
  // Opens anew what another process has ended; what can't be is closed. True: there was such a one.
  bool revive();

  // Opens what of `specs` is new, for change() to find: throws, and all is as before. Where change() doesn't
  // follow, forget_prepared() closes it.
  void prepare(const std::vector<ListenSpec>& specs);
  void forget_prepared() { prepared_.clear(); }
  // Opens what is new before anything changes: throws, and all is as before. What is no longer named is
  // drained, until `timeout` (0: without limit), and closed.
  void change(const std::vector<ListenSpec>& specs, std::chrono::milliseconds timeout, Time now);
  // A step of that; returns when the next one is due.
  Time drain_on(Time now);

  // The end of the service, in steps: nobody new is let in, until `limit`; then done() or settled() say when
  // the queues may be closed.
  void drain_all(Time now, Time limit);
  Drain& drain() { return *drain_; }
  bool draining() const { return drain_.has_value(); }
  void close_drained();
  void close_all();                             // at once
  void forget();                                // in a child of another service: lets go of them all
  std::uint64_t lost() const { return lost_; }  // connections that were in queues when those were closed

 private:
  std::vector<Listener> open(const ListenSpec& spec) const;
  std::vector<Listener> take_or_open(const ListenSpec& spec);
  bool has_already(const ListenSpec& spec) const;

  std::string service_;
  unsigned backlog_;
  WorkKind takes_;
  std::vector<Listener> listeners_, prepared_;
  std::optional<Drain> drain_;  // of those that are being closed
  std::uint64_t lost_ = 0;
};

}  // namespace brood
