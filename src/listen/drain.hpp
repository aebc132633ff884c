// SPDX-License-Identifier: MIT
// Closes listeners without losing a connection. A close() would reset the connections in the queue, and under
// load the queue never becomes empty. So new connections are kept out, the children accept what is in the
// queue, and the listener is closed when the queue has been empty for a while. If new connections cannot be
// kept out (without CAP_NET_ADMIN), the drain ends at a deadline, and the log says how many connections were
// reset.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "listen/listener.hpp"

namespace brood {

class Drain {
 public:
  // `limit`: the deadline.
  Drain(std::vector<Listener> listeners, Time now, Time limit);

  // `accepted`: how many connections the service has accepted so far. True: the queues are quiet, or the
  // deadline has passed; call close().
  bool done(std::uint64_t accepted, Time now);
  Time look_again(Time now) const;
  // Call it after the children have stopped accepting. True: the number of connections in the queues is
  // final. If new connections still arrive, it waits a moment for them, so that the log has the number that
  // is lost.
  bool settled(Time now);

  // Returns how many connections were reset, and logs it if there are any.
  unsigned close();

  const std::vector<Listener>& listeners() const { return listeners_; }
  unsigned backlog() const;
  bool can_take_back(const ListenSpec& spec) const;
  Time limit() const { return limit_; }
  // These end the drain for the listener of `spec`, or for all, and return them.
  std::optional<Listener> take_back(const ListenSpec& spec);
  void forget();  // closes the descriptors, in a child of another service
  std::vector<Listener> take_all() { return std::move(listeners_); }

 private:
  std::vector<Listener> listeners_;
  bool arrivals_continue_ = false;  // new connections still reach some listener
  bool only_inherited_ = true;
  Time limit_;
  Time quiet_since_;
  std::uint64_t accepted_ = 0;
  unsigned counted_ = 0;
  Time counted_at_ = never;  // since when the count is unchanged, in settled()
  Time settling_since_ = never;
};

}  // namespace brood
