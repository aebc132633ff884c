// SPDX-License-Identifier: MIT
// Readings of the settings that never hold up the parent. Files, programs, users, groups and names of hosts
// are looked up in a process of its own, with a deadline. When it has ended, the parent reads from what the
// process has written down. One reading is under way at a time; others wait for it. Parent only.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/lookup/lookups.hpp"
#include "brood/descriptor.hpp"

namespace brood {

class Readings {
 public:
  struct Reading {
    std::string name;  // "": no other one asks for it
    // In the process: looks up all that `then` will need.
    std::function<void()> look_up;
    // In the parent: while it runs, look_up() answers from what was looked up. `failure`: why nothing was;
    // "": it was.
    std::function<void(const std::string& failure)> then;
  };

  explicit Readings(std::chrono::milliseconds timeout = std::chrono::seconds(10)) : timeout_(timeout) {}

  void add(Reading reading, Time now);
  bool waits(std::string_view name) const;  // has not begun
  bool under_way() const { return pid_ > 0 || ended_; }
  bool has(std::string_view name) const { return waits(name) || (under_way() && reading_.name == name); }

  // False: it is not the process of a reading.
  bool reaped(pid_t pid, int code, int status);
  // Ends the reading that is done or late, and begins the next one.
  void look(Time now);
  Time look_again() const { return ended_ ? Time::min() : pid_ > 0 ? deadline_ : never; }

  void cancel();                      // forgets them all, and calls none
  void forget() { memory_.reset(); }  // in a child

 private:
  void begin_next(Time now);
  void end(const std::string& failure);

  const std::chrono::milliseconds timeout_;
  std::deque<Reading> waiting_;
  Reading reading_;  // if one is under way
  pid_t pid_ = 0;
  bool ended_ = false;  // its process; failure_ has how
  std::string failure_;
  Descriptor memory_;  // what it has written
  Time deadline_ = never;
};

}  // namespace brood
