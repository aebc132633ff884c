// SPDX-License-Identifier: MIT
// The way to another program in the parent's process: it is tested on the present settings, then rehearsed
// with a copy of what will be handed over, and only then executed, for there is no way back from a program
// that dies at once. Each step is a process that the parent reaps, with a deadline; nobody waits for it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/executable.hpp"
#include "base/handover.hpp"
#include "brood/descriptor.hpp"

namespace brood {

class Upgrade {
 public:
  // `hand_over`: what is left to the new program, as it is at this moment.
  Upgrade(Executable program, std::function<Handover()> hand_over)
      : program_(std::move(program)), hand_over_(std::move(hand_over)) {}

  void begin(Time now);
  void cancel(std::string_view why);  // nothing, where none is under way
  void refuse(std::string_view why);
  void forget() { output_.reset(); }  // in a child
  bool under_way() const { return step_ != Step::none; }

  // Whether the process was one of ours.
  bool reaped(pid_t pid, int code, int status, Time now);
  // Ends what takes too long; returns when to look again. When both steps have succeeded, does not return:
  // the process runs the new program.
  Time look(Time now);

  // Of the last one that was refused before it was executed; "": none was.
  const std::string& refused() const { return refused_; }

 private:
  enum class Step { none, test, rehearsal, ready };

  void start(Step step, Time now);
  void advance(Time now);
  std::string_view name() const;
  std::string log_output() const;  // returns the first line of it

  Executable program_;
  std::function<Handover()> hand_over_;
  Step step_ = Step::none;
  pid_t pid_ = 0;
  Descriptor output_;
  Time deadline_ = never;
  bool overdue_ = false;
  std::string refused_;
};

// What a program writes to its standard output when it could take over.
std::string rehearsed_line(std::size_t services, std::size_t children);

}  // namespace brood
