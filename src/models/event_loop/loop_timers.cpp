// SPDX-License-Identifier: MIT
#include "models/event_loop/loop_timers.hpp"

#include <algorithm>

namespace brood {

TimerId LoopTimers::add(Time first, Clock::duration interval, Function function) {
  timers_[++last_] = {
      .due = first, .interval = interval, .function = std::make_shared<const Function>(std::move(function))};
  by_time_.emplace(first, last_);
  return last_;
}

void LoopTimers::remove(TimerId timer) {
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return;
  by_time_.erase({found->second.due, timer});
  timers_.erase(found);
}

std::vector<TimerId> LoopTimers::take_due(Time now) {
  std::vector<TimerId> due;
  while (next_due() <= now) due.push_back(by_time_.extract(by_time_.begin()).value().second);
  return due;
}

std::shared_ptr<const LoopTimers::Function> LoopTimers::begin(TimerId timer) {
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return {};
  auto function = found->second.function;
  if (found->second.interval == Clock::duration::zero()) timers_.erase(found);
  return function;
}

void LoopTimers::end(TimerId timer, Time now) {
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return;
  auto& [due, interval, function] = found->second;
  due = due + interval > now ? due + interval : now + interval;
  by_time_.emplace(due, timer);
}

}  // namespace brood
