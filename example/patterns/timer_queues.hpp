// SPDX-License-Identifier: MIT
// A timer wheel and a timer heap, for timers that all have the same time.
#pragma once

#include <array>
#include <boost/heap/d_ary_heap.hpp>
#include <brood/event_server.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace patterns {

struct Timer;

class TimerQueue {
 public:
  virtual ~TimerQueue() = default;
  virtual void restart(Timer& timer) = 0;
  virtual void stop(Timer& timer) = 0;
  // To be called ticks_in_time times in the time of a timer. Empty: no more timers are due now.
  virtual void tick() = 0;
  virtual Timer* due() = 0;
  static constexpr int ticks_in_time = 63;
};

using TimerHeap = boost::heap::d_ary_heap<std::pair<std::chrono::steady_clock::time_point, Timer*>,
                                          boost::heap::arity<2>, boost::heap::mutable_<true>,
                                          boost::heap::compare<std::greater<>>>;  // the earliest is on top

struct Timer {  // of a connection
  TimerQueue* queue = nullptr;
  brood::ConnectionHandle connection;
  std::list<Timer*> own{this};  // its element, while it is in no slot of the wheel
  std::list<Timer*>* slot = &own;
  const std::list<Timer*>::iterator place = own.begin();
  std::optional<TimerHeap::handle_type> in_heap;
  ~Timer() {
    if (queue != nullptr) queue->stop(*this);
  }
};

// A slot for each tick. To restart a timer is to move one element of a list.
class Wheel final : public TimerQueue {
  void restart(Timer& timer) override { move(timer, slots_[(now_ + ticks_in_time) % slots_.size()]); }
  void stop(Timer& timer) override { move(timer, timer.own); }
  void tick() override { now_ = (now_ + 1) % slots_.size(); }
  Timer* due() override { return slots_[now_].empty() ? nullptr : slots_[now_].front(); }
  static void move(Timer& timer, std::list<Timer*>& to) {
    to.splice(to.end(), *std::exchange(timer.slot, &to), timer.place);
  }
  std::array<std::list<Timer*>, ticks_in_time + 1> slots_;
  std::size_t now_ = 0;
};

// To restart a timer is to sift it down.
class BinaryHeap final : public TimerQueue {
  using Clock = std::chrono::steady_clock;

 public:
  explicit BinaryHeap(Clock::duration time) : time_(time) {}

 private:
  void restart(Timer& timer) override {
    const TimerHeap::value_type entry(Clock::now() + time_, &timer);
    if (timer.in_heap)
      heap_.update(*timer.in_heap, entry);
    else
      timer.in_heap = heap_.push(entry);
  }
  void stop(Timer& timer) override {
    if (timer.in_heap) heap_.erase(*std::exchange(timer.in_heap, {}));
  }
  void tick() override { now_ = Clock::now(); }
  Timer* due() override { return heap_.empty() || heap_.top().first > now_ ? nullptr : heap_.top().second; }
  TimerHeap heap_;
  const Clock::duration time_;
  Clock::time_point now_;
};

inline std::unique_ptr<TimerQueue> make_timers(bool wheel, std::chrono::milliseconds time) {
  if (wheel) return std::make_unique<Wheel>();
  return std::make_unique<BinaryHeap>(time);
}

}  // namespace patterns
