// SPDX-License-Identifier: MIT
// Logs the stacks of children whose connections last longer than slow-timeout. A short-lived process reads
// them, one at a time; the parent does not wait for it. A few a minute, and then how many more there were.
// Parent only.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log/message_limiter.hpp"
#include "parent/failures/report_process.hpp"
#include "pool/pool.hpp"

namespace brood {

class SlowReports {
 public:
  struct Place {
    ReportProcess process;
    // Whether the connection is still open, as far as the scoreboard shows.
    std::function<bool(const SlowConnection&)> lasts;
  };

  void note(SlowConnection slow) { noted_.push_back(std::move(slow)); }
  // Starts the process if there is something to report, and ends one that takes too long. Returns when to
  // look again.
  Time look(const std::string& service, const Place& place, Time now);
  bool reaped(pid_t pid, int code, int status);  // false: it is another process

 private:
  void choose(const std::string& service, Time now);
  void begin(const Place& place, Time now);
  void could_not_read() const;

  MessageLimiter limiter_{6, std::chrono::minutes(1)};
  std::vector<SlowConnection> noted_;
  std::deque<SlowConnection> waiting_;
  pid_t pid_ = 0;    // 0: none
  pid_t child_ = 0;  // whose stack it reads
  Time deadline_ = never;
};

}  // namespace brood
