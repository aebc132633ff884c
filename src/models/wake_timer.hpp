// SPDX-License-Identifier: MIT
// One timer for many times: it goes off at the earliest of those asked for since it last went off. For an
// event loop, which waits on its descriptor.
#pragma once

#include "base/clock.hpp"
#include "brood/descriptor.hpp"

namespace brood {

class WakeTimer {
 public:
  WakeTimer();  // throws SystemError

  int descriptor() const { return timer_.get(); }
  void wake_at(Time time);
  bool went_off();  // false: it did not, or this was asked before

 private:
  Descriptor timer_;
  Time wakes_at_ = never;
};

}  // namespace brood
