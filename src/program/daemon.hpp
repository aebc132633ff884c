// SPDX-License-Identifier: MIT
// Starts the server in the background. The process that was started waits until the server is ready or has
// failed, and ends with the server's exit code, so that a script knows whether the server runs.
#pragma once

#include "brood/descriptor.hpp"

namespace brood {

class Daemon {
 public:
  // Forks twice. Returns only in the new process; the first one ends in it, with the exit code that the new
  // one reports.
  static Daemon detach();

  Daemon() = default;  // in the foreground: the rest does nothing
  // Detached before exec(). `report`: where the first process waits for the report; none: it has it.
  explicit Daemon(Descriptor report) : report_(std::move(report)) {}
  int descriptor() const { return report_.get(); }   // -1: nothing is left to report
  void close_terminal();                             // before the first fork: children would keep it open
  void ready() { report(0); }                        // does nothing after the first report
  void failed(int exit_code) { report(exit_code); }  // as ready()
  void forget() { report_.reset(); }                 // in a child

 private:
  void report(int exit_code);
  Descriptor report_;
};

}  // namespace brood
