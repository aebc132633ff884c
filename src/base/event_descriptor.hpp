// SPDX-License-Identifier: MIT
// A descriptor that becomes readable when something has happened (eventfd(2)). It wakes processes and threads
// that wait for several descriptors.
#pragma once

#include <poll.h>

#include "brood/descriptor.hpp"

namespace brood {

Descriptor new_event(bool happened = false);  // throws SystemError
// May be called in a signal handler. Does nothing if `event` is -1. False: see errno; the counter may be
// full, and the descriptor readable anyway.
bool tell_event(int event);
// Makes it unreadable until tell_event() is called again. Never waits.
void clear_event(int event);

// Whether a read of any descriptor would find something now, or an end.
inline bool readable(int descriptor) {
  pollfd input{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 0) > 0;
}

}  // namespace brood
