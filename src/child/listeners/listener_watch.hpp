// SPDX-License-Identifier: MIT
// A child's listeners in epoll sets, so that one of the children that wait is woken for what arrives, and one
// of its threads if each of them waits in a set of its own (EPOLLEXCLUSIVE). In a child; its threads take
// turns.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"
#include "listen/child_listener.hpp"

namespace brood {

class ListenerWatch {
 public:
  // How epoll reports a listener. `arrivals` needs `data`: each arrival wakes one of the threads that wait in
  // the set, and none for what waits already. begin_look() and end_look() around each attempt to accept make
  // up for that: what waits then is reported again.
  enum class Reports : std::uint8_t { while_ready, arrivals };

  // What epoll reports has `data`; without it, each listener's index. `epolls` are not owned: one, if there
  // is `data`. Throws SystemError.
  ListenerWatch(std::vector<ChildListener>& listeners, std::vector<int> epolls,
                std::optional<std::uint64_t> data, Reports reports = Reports::while_ready);

  bool set(bool watched);  // true: this was a change
  bool any_waits() const;  // something, at some listener
  void take_away(std::size_t listener);
  // Behind the siblings: the kernel wakes the one first that has watched longest.
  void go_behind();

  // ---- With `data` only

  // Stops watching the listeners. After this time epoll reports as if they were ready.
  void pause(std::chrono::milliseconds time);
  bool paused() const { return paused_; }
  // A write to this eventfd makes epoll report as if the listeners were ready: "look again".
  int look_fd() const { return look_.get(); }
  // Before an attempt to accept: a pause is over. `asked`: the child was asked to look again.
  void begin_look(bool asked);
  // How much was left of the pause that begin_look() has ended. Empty: there was none.
  std::optional<std::chrono::milliseconds> rest_of_pause() const { return rest_of_pause_; }
  // After it, also if another attempt was not begun because of this one. A request to look again is for
  // everything that waits, so epoll reports again until an attempt has found nothing.
  void end_look(bool found);

 private:
  void add(int descriptor, std::uint32_t events, std::uint64_t data, const std::string& what) const;
  void remove(int descriptor) const;

  std::vector<ChildListener>& listeners_;
  const std::vector<int> epolls_;
  const std::optional<std::uint64_t> data_;
  const Reports reports_;
  bool watched_ = false;
  bool paused_ = false;
  Time paused_until_;
  std::optional<std::chrono::milliseconds> rest_of_pause_;
  bool asked_ = false;  // to look again, and something may still wait
  bool again_ = false;  // end_look() has written to look_
  Descriptor look_, timer_;
  Descriptor more_;  // an eventfd, with Reports::arrivals
};

}  // namespace brood
