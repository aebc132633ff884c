// SPDX-License-Identifier: MIT
// A child's listeners in an epoll set, so that one of the waiting children is woken for what arrives
// (EPOLLEXCLUSIVE). In a child; its threads take turns.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "brood/descriptor.hpp"
#include "listen/child_listener.hpp"

namespace brood {

class ListenerWatch {
 public:
  // What epoll reports has `data`; without it, each listener's index. `epoll` is not owned. Throws
  // SystemError.
  ListenerWatch(std::vector<ChildListener>& listeners, int epoll, std::optional<std::uint64_t> data);

  bool set(bool watched);  // true: this was a change
  bool any_waits() const;  // something, at some listener
  void take_away(std::size_t listener);

  // ---- With `data` only

  // Stops watching the listeners. After this time epoll reports as if they were ready.
  void pause(std::chrono::milliseconds time);
  // A write to this eventfd makes epoll report as if the listeners were ready: "look again".
  int look_fd() const { return look_.get(); }
  // Before an attempt to accept: a pause is over. `asked`: the child was asked to look again.
  void begin_look(bool asked);
  // After it. A request to look again is for everything that waits, so epoll reports again until an attempt
  // has found nothing.
  void end_look(bool found);

 private:
  void add(int descriptor, std::uint32_t events, std::uint64_t data, const std::string& what) const;

  std::vector<ChildListener>& listeners_;
  const int epoll_;
  const std::optional<std::uint64_t> data_;
  bool watched_ = false;
  bool paused_ = false;
  bool asked_ = false;  // to look again, and something may still wait
  bool again_ = false;  // end_look() has written to look_
  Descriptor look_, timer_;
};

}  // namespace brood
