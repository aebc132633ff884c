// SPDX-License-Identifier: MIT
// The command that is run when children of a service fail: at most once a minute, one at a time, for a minute
// at most. The next one reports the failures since. It knows no pool and never waits. Parent only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

class FailureHook {
 public:
  explicit FailureHook(std::string service) : service_(std::move(service)) {}
  // The path and the arguments of the command; none: nothing is run.
  void set(std::vector<std::string> words) { words_ = std::move(words); }

  const FailureHookRun& hand_over() const { return run_; }
  void take_over(const FailureHookRun& left) { run_ = left; }

  void note(const Failure& failure);
  bool reaped(pid_t pid, int code, int status);  // false: it is another process
  // Runs the command if it is due, and kills one that takes too long. Returns when to look again.
  Time look(Time now);

 private:
  void run(Time now);
  [[noreturn]] void become(pid_t parent) const;

  const std::string service_;
  std::vector<std::string> words_;
  FailureHookRun run_;
};

}  // namespace brood
