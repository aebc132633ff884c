// SPDX-License-Identifier: MIT
// A child's listeners in an epoll set, so that one child of all that wait is woken for what arrives
// (EPOLLEXCLUSIVE). In a child; calls are made in turn.
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
  // What epoll reports has `data`, or each listener's index where there is none. `epoll` is not owned.
  // Throws SystemError.
  ListenerWatch(std::vector<ChildListener>& listeners, int epoll, std::optional<std::uint64_t> data);

  bool set(bool watched);  // false: it was so
  bool any_waits() const;  // a connection, at some listener
  void take_away(std::size_t listener);

  // With `data` alone: stops watching the listeners, and reports as if they were ready after this time.
  void pause(std::chrono::milliseconds time);
  // A write to it reports as if the listeners were ready.
  int look_fd() const { return look_.get(); }
  void look_again();         // a write of our own
  bool settle(bool nudged);  // what pause() and a write have caused is over; true: there was a write

 private:
  void add(int descriptor, std::uint32_t events, std::uint64_t data, const std::string& what) const;

  std::vector<ChildListener>& listeners_;
  const int epoll_;
  const std::optional<std::uint64_t> data_;
  bool watched_ = false;
  bool paused_ = false;
  bool again_ = false;
  Descriptor look_, timer_;
};

}  // namespace brood
