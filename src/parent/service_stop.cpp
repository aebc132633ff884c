// SPDX-License-Identifier: MIT
// The ladder by which a service ends: nobody new is let in, the queues are emptied, children finish what they
// have in hand, and what is left is killed.
#include <algorithm>

#include "base/text.hpp"
#include "brood/log.hpp"
#include "parent/service.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// Until a program that tells nothing has heard SIGTERM.
constexpr auto hearing_time = 250ms;

}  // namespace

void Service::stop(Time limit) {
  starts_after_stop_ = false;
  if (stage_ != Stage::serving) return;
  paused_ = false;  // who waits in the queue is served
  stage_ = Stage::draining;
  limit_ = limit;
  // What is accepted in the last moment needs time, too.
  const Time now = Clock::now();
  listeners_.drain_all(now, limit == never ? never : now + (limit - now) * 3 / 4);
}

void Service::stop_now(const char* why) {
  starts_after_stop_ = false;
  stage_ = Stage::finishing;
  pool_->kill_all(why);
  detached_.kill_all(why);
  listeners_.close_all();
}

void Service::dismiss(Time now) {
  dismissed_ = true;
  const auto patience = configuration_.limits.graceful_timeout;
  log_info(text("service ", name(), ": is no longer wanted; connections in hand are finished",
                patience.count() == 0 ? "" : text(", within ", patience)));
  stop(patience.count() == 0 ? never : now + patience);
}

void Service::step_of_stopping(Time now) {
  if (stage_ == Stage::serving) return;
  const bool nobody_serves = pool_->count() == 0 && (fatal_exit_ || throttle_.active());
  if (stage_ == Stage::draining &&
      (nobody_serves || listeners_.drain().done(pool_->census().accepted(), now))) {
    pool_->retire_all(Reason::stop);
    stage_ = Stage::closing;
  }
  // Nobody accepts any more: what is in the queue now is what will be lost.
  if (stage_ == Stage::closing &&
      ((pool_->census().none_accepts(silent() ? now - hearing_time : Time::min()) &&
        listeners_.drain().settled(now)) ||
       now >= limit_)) {
    listeners_.close_drained();
    stage_ = Stage::finishing;
  }
  if (stage_ == Stage::finishing && now >= limit_ && !ended()) {
    pool_->kill_all("graceful-timeout is over");
    detached_.kill_all("graceful-timeout is over");
  }
}

Time Service::deadline_of_stage(Time now) {
  switch (stage_) {
    case Stage::serving:
      return listeners_.drain_on(now);
    case Stage::draining:
      return listeners_.drain().look_again(now);
    case Stage::closing:
      return std::min<Time>(limit_, now + 10ms);
    case Stage::finishing:
      return now < limit_ ? limit_ : never;
  }
  return never;
}

}  // namespace brood
