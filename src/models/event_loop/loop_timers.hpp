// SPDX-License-Identifier: MIT
// The timers of a child, once or again and again. Pure: the time is an argument, and nothing is called here.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "brood/event_server.hpp"

namespace brood {

class LoopTimers {
 public:
  using Function = std::function<void()>;

  // `interval` 0: once.
  TimerId add(Time first, Clock::duration interval, Function function);
  void remove(TimerId timer);
  void clear() { *this = {}; }

  Time next_due() const { return by_time_.empty() ? never : by_time_.begin()->first; }
  // What is due. None of them is due again before it has run.
  std::vector<TimerId> take_due(Time now);
  // nullptr: it was removed. What is due once is removed by this.
  std::shared_ptr<const Function> begin(TimerId timer);
  // After it has run. Calls that it has missed are not made up for.
  void end(TimerId timer, Time now);

 private:
  struct Timer {
    Time due;
    Clock::duration interval;
    std::shared_ptr<const Function> function;
  };

  std::map<TimerId, Timer> timers_;
  std::set<std::pair<Time, TimerId>> by_time_;  // those that wait
  TimerId last_ = 0;
};

}  // namespace brood
