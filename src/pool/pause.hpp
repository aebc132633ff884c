// SPDX-License-Identifier: MIT
// Notices that the parent did not run: it was stopped, alone or with its children, or got no processor. A
// time limit of a child must not end in such a pause, because the child may not have run either, and what it
// wrote was not seen. Pure: the caller says what time it is.
//
// A pause from which SIGCONT wakes the parent is noticed whenever it was. Another one (the freezer of a
// container) is noticed if the parent should have woken in it.
#pragma once

#include "base/clock.hpp"

namespace brood {

// A parent that is this late was in a pause. A busy machine delays it by less.
inline constexpr std::chrono::milliseconds longest_delay{500};

class PauseDetector {
 public:
  // Before the parent sleeps; `until`: when it is to be woken.
  void sleeps(Time now, Time until);
  // After that, and before it acts on what time it is. `continued`: SIGCONT has come. Returns how long the
  // parent may not have run since the last call; 0: it has.
  Clock::duration runs(Time now, bool continued);

 private:
  bool late(Time now) const { return expected_ < now && now - expected_ > longest_delay; }

  Time ran_ = never, expected_ = never;
  Clock::duration missed_{};  // before the last sleep
};

}  // namespace brood
