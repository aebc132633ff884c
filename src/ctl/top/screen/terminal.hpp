// SPDX-License-Identifier: MIT
// A terminal in raw mode, with another screen and without a cursor, for the life of the object. It is left as
// it was when that ends, when the process is stopped, and when it dies of a fault; only SIGKILL leaves it.
#pragma once

#include <termios.h>

#include <string_view>
#include <vector>

#include "base/signals.hpp"
#include "ctl/top/screen/cells.hpp"

namespace brood::ctl {

class Terminal {
 public:
  // Of standard input and output. If this process is in the background, it stops until it is not. Throws
  // SystemError.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  static Size size();
  bool write(std::string_view text) const;  // false: the terminal is gone
  // Readable if signals have come. They are blocked: those that end a process, SIGTSTP, SIGCONT, SIGWINCH.
  int signals() const { return signals_.descriptor(); }
  std::vector<int> arrived() const { return signals_.arrived(); }
  // Stops this process as SIGTSTP does. Returns when it is continued, in the foreground, with all set up
  // again.
  void stop();
  // After SIGCONT: the same, for a process that was stopped by SIGSTOP.
  void go_on() const;

 private:
  void enter() const;
  void leave() const;

  termios before_{};
  SignalDescriptor signals_;
};

// For a process that was asked to end: dies of this signal, as its starter expects.
[[noreturn]] void die_of(int signal);

}  // namespace brood::ctl
