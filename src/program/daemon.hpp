// SPDX-License-Identifier: MIT
// Leaving the terminal. The process that was started waits until the server is ready or has failed, and ends
// with its verdict: a script that starts the server knows whether it runs.
#pragma once

#include "brood/descriptor.hpp"

namespace brood {

class Daemon {
 public:
  // Forks twice. Returns in the new process only; the first one ends inside, with what the new one reports.
  static Daemon detach();

  Daemon() = default;  // stays in the foreground: the rest does nothing
  // It has detached before exec(); the verdict may still be awaited.
  explicit Daemon(Descriptor report) : report_(std::move(report)) {}
  int descriptor() const { return report_.get(); }   // -1: there was a verdict
  void leave_terminal();                             // before children are forked, who would hold it
  void ready() { report(0); }                        // the verdict is 0
  void failed(int exit_code) { report(exit_code); }  // the verdict, unless there was one
  void forget() { report_.reset(); }                 // in a child

 private:
  void report(int exit_code);
  Descriptor report_;
};

}  // namespace brood
