// SPDX-License-Identifier: MIT
// Closing a listener without losing a connection. Closing resets what is in its queue, and under load the
// queue never empties by itself. So: let nobody new in, let the children empty the queue until it has been
// quiet for a while, close. Where newcomers can't be kept out (no CAP_NET_ADMIN), it ends at a deadline, and
// says how many were left.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "listen/listener.hpp"

namespace brood {

class Drain {
 public:
  // `limit`: when it must be over at the latest.
  Drain(std::vector<Listener> listeners, Time now, Time limit);

  // `accepted`: connections that the service has accepted so far. True: quiet, or out of time; close() is
  // next.
  bool done(std::uint64_t accepted, Time now);
  Time look_again(Time now) const;
  // Nobody accepts any more. True: what is in the queue can be counted. Where newcomers still come, those on
  // their way are waited for a moment, so that the number told is the number lost.
  bool settled(Time now);

  // Returns how many connections were reset, and logs it where there were any.
  unsigned close();

  const std::vector<Listener>& listeners() const { return listeners_; }
  unsigned backlog() const;
  bool can_take_back(const ListenSpec& spec) const;
  Time limit() const { return limit_; }
  // Ends the drain for the listener at this place, or for all, which go on elsewhere.
  std::optional<Listener> take_back(const ListenSpec& spec);
  void forget();  // in a child of another service
  std::vector<Listener> take_all() { return std::move(listeners_); }

 private:
  std::vector<Listener> listeners_;
  bool newcomers_ = false;  // some listener still lets them in
  bool only_inherited_ = true;
  Time limit_;
  Time quiet_since_;
  std::uint64_t accepted_ = 0;
  unsigned counted_ = 0;
  Time counted_at_ = never;  // when the queue was first seen with this length, after nobody accepted any more
  Time settling_since_ = never;
};

}  // namespace brood
