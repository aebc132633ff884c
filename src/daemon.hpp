// SPDX-License-Identifier: MIT
// Leaving the terminal. The process that was started waits until the server is ready, and ends with its
// verdict: a script that starts the server knows whether it runs.
#pragma once

#include "brood/descriptor.hpp"

namespace brood {

class Daemon {
 public:
  // Forks twice. Returns in the new process only; the first one ends inside, with 0 after ready(), else with
  // the exit code of the new one.
  static Daemon detach();

  Daemon() = default;  // stays in the foreground: ready() does nothing
  void ready();        // tells the first process, and lets go of the terminal

 private:
  Descriptor report_;
};

}  // namespace brood
