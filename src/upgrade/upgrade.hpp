// SPDX-License-Identifier: MIT
// Replaces the parent's program in its process. The new program is first tested on the present settings
// (--test-config), then it rehearses with a copy of what will be handed over, and only then it is executed:
// nothing brings back the former program if the new one crashes at once. The two steps before are processes
// with a deadline. The parent reaps them and never waits for them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/handover.hpp"
#include "brood/descriptor.hpp"
#include "upgrade/executable.hpp"

namespace brood {

// Whether this process is the first step: its parent has the listeners, and hands them over.
bool is_upgrade_test();

class Upgrade {
 public:
  // `hand_over`: returns what is to be handed over, as it is at this moment.
  Upgrade(Executable program, std::function<Handover()> hand_over)
      : program_(std::move(program)), hand_over_(std::move(hand_over)) {}

  void begin(Time now);
  void cancel(std::string_view why);  // does nothing if none is under way
  void refuse(std::string_view why);
  void forget() { output_.reset(); }  // in a child
  bool under_way() const { return step_ != Step::none; }

  // False: the process was none of its steps.
  bool reaped(pid_t pid, int code, int status, Time now);
  // Kills a step that takes too long. Executes the new program when both steps have succeeded, and doesn't
  // return then. Returns when to look again.
  Time look(Time now);

  // The parent did not run for so long, and maybe the step neither.
  void paused(Clock::duration time) {
    if (under_way()) deadline_ += time;
  }

  // Why the last one was refused before it was executed; "": it was not.
  const std::string& refused() const { return refused_; }

 private:
  enum class Step { none, test, rehearsal, ready };

  void start(Step step, Time now);
  void advance(Time now);
  std::string_view name() const;
  std::string log_output() const;  // returns its first line

  Executable program_;
  std::function<Handover()> hand_over_;
  Step step_ = Step::none;
  pid_t pid_ = 0;
  Descriptor output_;
  Time deadline_ = never;
  bool overdue_ = false;
  std::string refused_;
};

// What a program prints if its rehearsal succeeds.
std::string rehearsed_line(std::size_t services, std::size_t children);

}  // namespace brood
